"""Microsoft.Resources: subscription, resource groups, resource providers, the list of resources."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from setup_kit.sandbox import access
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.arm import GROUP, Answer, ArmError, Call, Route, place, same_location, tags_of
from setup_kit.sandbox.resource_manager.operations import Operations
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.subscription import conditions

GROUPS = "resource-groups"  # key: name in lower case; name, location, tags
PROVIDERS = "resource-providers"  # key: namespace in lower case; state. Absent means Registered.
NAMESPACES = (
    "Microsoft.Authorization",
    "Microsoft.KeyVault",
    "Microsoft.PolicyInsights",
    "Microsoft.Resources",
    "Microsoft.Sql",
)
# Namespace → its types that lie in a region.
TYPES = {"Microsoft.KeyVault": ("vaults",), "Microsoft.Sql": ("servers", "servers/databases")}
SUBSCRIPTION = "/subscriptions/{subscription}"
NAME = re.compile(r"[-\w._()]{1,90}")
LOCATIONS = frozenset(
    {
        *("westus", "westus2", "westus3", "eastus", "eastus2", "centralus", "northcentralus", "southcentralus"),
        *("westcentralus", "westeurope", "northeurope", "eastasia", "southeastasia", "centralindia", "southindia"),
        *("westindia", "japanwest", "japaneast", "brazilsouth", "australiasoutheast", "australiaeast"),
        *("canadacentral", "canadaeast", "uksouth", "ukwest", "francecentral", "germanywestcentral"),
        *("swedencentral", "switzerlandnorth", "norwayeast", "polandcentral", "italynorth", "koreacentral"),
    }
)

# A part of the cloud that holds resources: lists its own in a group, and removes them with the group.
Lister = Callable[[str], list[Document]]
Remover = Callable[[str], Awaitable[None]]


def find_group(state: State, name: str) -> Document:
    group = state.get(GROUPS, name.lower())
    if group is None:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.", gateway=True)
    return group


def check_registered(state: State, namespace: str, subscription: str) -> None:
    """Raises ArmError unless the provider is registered."""
    if registration(state, namespace) != "Registered":
        raise ArmError(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for"
            " how to register subscriptions.",
            gateway=True,
        )


def registration(state: State, namespace: str) -> str:
    kept = state.get(PROVIDERS, namespace.lower())
    return "Registered" if kept is None else str(kept["state"])


def registrations(state: State) -> dict[str, str]:
    """How the registration of each resource provider stands."""
    return {namespace: registration(state, namespace) for namespace in NAMESPACES}


def set_registration(state: State, namespace: str, registered: bool) -> None:
    """Register a resource provider, or take that back. Raises ValueError when there is none of this name."""
    if namespace.lower() not in {each.lower() for each in NAMESPACES}:
        raise ValueError(f"there is no resource provider {namespace!r}; there are {', '.join(NAMESPACES)}")
    if registered:
        state.delete(PROVIDERS, namespace.lower())
    else:
        state.put(PROVIDERS, namespace.lower(), {"state": "NotRegistered"})


def check_location(location: object, kind: str) -> str:
    """The location's short name. Raises ArmError when there is none of it."""
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.", gateway=True)
    short = place(str(location))
    if short not in LOCATIONS:
        raise ArmError(
            400,
            f"LocationNotAvailableFor{kind}",
            f"The provided location '{location}' is not available. List of available regions is"
            f" '{','.join(sorted(LOCATIONS))}'.",
            gateway=True,
        )
    return short


class ResourceGroups:
    def __init__(
        self,
        state: State,
        latency: Latency,
        operations: Operations,
        subscription: str,
        tenant: str,
        contents: Sequence[tuple[Lister, Remover]],
    ) -> None:
        self._state = state
        self._latency = latency
        self._operations = operations
        self._subscription = subscription
        self._tenant = tenant
        self._contents = contents
        operations.effect("resource_group.delete", self._deleted)

    def routes(self) -> list[Route]:
        read, write = "Microsoft.Resources/subscriptions/resourceGroups/read", "resource_group.put"
        change = "Microsoft.Resources/subscriptions/resourceGroups/write"
        provider = SUBSCRIPTION + "/providers/{namespace}"
        return [
            Route("GET", "/subscriptions", "", "subscription.get", self._list_subscriptions),
            Route(
                "GET", SUBSCRIPTION, "Microsoft.Resources/subscriptions/read", "subscription.get", self._subscription_
            ),
            Route("GET", SUBSCRIPTION + "/resourceGroups", read, "arm.get", self._list),
            Route("GET", GROUP, read, "arm.get", self._get),
            Route("HEAD", GROUP, read, "arm.get", self._head),
            Route("PUT", GROUP, change, write, self._put),
            Route("PATCH", GROUP, change, write, self._patch),
            Route(
                "DELETE",
                GROUP,
                "Microsoft.Resources/subscriptions/resourceGroups/delete",
                "arm.accept",
                self._delete,
            ),
            Route("GET", GROUP + "/resources", read, "arm.get", self._resources),
            Route("GET", SUBSCRIPTION + "/resources", read, "arm.get", self._resources),
            Route("GET", SUBSCRIPTION + "/operationresults/{operation}", "", "arm.get", self._operations.result),
            Route("GET", SUBSCRIPTION + "/providers", "*/read", "arm.get", self._providers),
            Route("GET", provider, "*/read", "arm.get", self._provider),
            Route("POST", provider + "/register", "*/register/action", "arm.accept", self._register),
        ]

    async def _list_subscriptions(self, call: Call) -> Answer:
        return Answer(200, {"value": [self._subscription_body()]})

    async def _subscription_(self, call: Call) -> Answer:
        return Answer(200, self._subscription_body())

    def _subscription_body(self) -> Document:
        now = conditions(self._state)
        return {
            "id": f"/subscriptions/{self._subscription}",
            "subscriptionId": self._subscription,
            "tenantId": self._tenant,
            "displayName": "Contoso sandbox",
            "state": now.state,
            "authorizationSource": "RoleBased",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": now.spending_limit,
            },
        }

    def _body(self, group: Document, state: str = "Succeeded") -> Document:
        return {
            "id": f"/subscriptions/{self._subscription}/resourceGroups/{group['name']}",
            "name": group["name"],
            "type": "Microsoft.Resources/resourceGroups",
            "location": group["location"],
            "tags": group["tags"],
            "properties": {"provisioningState": group.get("state", state)},
        }

    async def _list(self, call: Call) -> Answer:
        return Answer(200, {"value": [self._body(group) for _, group in self._state.list(GROUPS)]})

    async def _get(self, call: Call) -> Answer:
        return Answer(200, self._body(find_group(self._state, call.group)))

    async def _head(self, call: Call) -> Answer:
        # Resource Manager says "there is one" with 204 here.
        return Answer(204 if self._state.get(GROUPS, call.group.lower()) else 404)

    async def _put(self, call: Call) -> Answer:
        if not NAME.fullmatch(call.group) or call.group.endswith("."):
            raise ArmError(
                400,
                "InvalidResourceGroup",
                f"The provided resource group name '{call.group}' has these invalid characters or is too long. The name"
                " can only be a letter, digit, '-', '.', '(', ')' or '_', at most 90 of them, and not end with a '.'.",
                gateway=True,
            )
        location = check_location(call.body.get("location"), "ResourceGroup")
        kept = self._state.get(GROUPS, call.group.lower())
        if kept is not None and not same_location(kept["location"], location):
            raise ArmError(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists in location"
                f" '{kept['location']}'.",
                gateway=True,
            )
        if kept is not None and kept.get("state") == "Deleting":
            raise ArmError(
                409,
                "ResourceGroupBeingDeleted",
                f"The resource group '{call.group}' is in deprovisioning state and cannot perform this operation.",
                gateway=True,
            )
        group = {"name": kept["name"] if kept else call.group, "location": location, "tags": tags_of(call.body)}
        self._state.put(GROUPS, call.group.lower(), group)
        return Answer(200 if kept else 201, self._body(group))

    async def _patch(self, call: Call) -> Answer:
        group = find_group(self._state, call.group)
        if "tags" in call.body:
            group["tags"] = tags_of(call.body)
        self._state.put(GROUPS, call.group.lower(), group)
        return Answer(200, self._body(group))

    async def _delete(self, call: Call) -> Answer:
        group = find_group(self._state, call.group)
        self._state.put(GROUPS, call.group.lower(), {**group, "state": "Deleting"})
        operation = await self._operations.start(
            "DeleteResourceGroup",
            "resource_group.delete",
            {"group": group["name"]},
            target=f"group/{group['name']}".lower(),
            seconds=self._latency.seconds("resource_group.delete"),
        )
        location = f"{self._operations.base}/operationresults/{operation}?api-version={call.api_version}"
        return Answer(202, None, {"Location": location, **self._latency.retry_after(15)})

    async def _deleted(self, arguments: Document) -> None:
        for _, remove in self._contents:
            await remove(arguments["group"])
        access.forget(self._state, f"/subscriptions/{self._subscription}/resourceGroups/{arguments['group']}")
        self._state.delete(GROUPS, arguments["group"].lower())

    async def _resources(self, call: Call) -> Answer:
        if "group" in call.names:
            groups = [find_group(self._state, call.group)["name"]]
        else:
            groups = [group["name"] for _, group in self._state.list(GROUPS)]
        found = [
            {key: body.get(key) for key in ("id", "name", "type", "location", "tags")}
            for group in groups
            for lister, _ in self._contents
            for body in lister(group)
        ]
        wanted = call.query.get("$filter")
        if wanted:
            match = re.fullmatch(r"\s*resourceType eq '([^']*)'\s*", wanted, re.IGNORECASE)
            if match is None:
                raise ArmError(
                    501, "NotImplementedInSandbox", f"The sandbox does not know the resource filter {wanted}."
                )
            found = [each for each in found if str(each["type"]).lower() == match[1].lower()]
        return Answer(200, {"value": found})

    async def _providers(self, call: Call) -> Answer:
        return Answer(200, {"value": [self._provider_body(namespace) for namespace in NAMESPACES]})

    async def _provider(self, call: Call) -> Answer:
        return Answer(200, self._provider_body(_namespace(call.name("namespace"))))

    async def _register(self, call: Call) -> Answer:
        namespace = _namespace(call.name("namespace"))
        set_registration(self._state, namespace, True)
        return Answer(200, self._provider_body(namespace))

    def _provider_body(self, namespace: str) -> Document:
        return {
            "id": f"/subscriptions/{self._subscription}/providers/{namespace}",
            "namespace": namespace,
            "registrationPolicy": "RegistrationRequired",
            "registrationState": registration(self._state, namespace),
            "resourceTypes": [
                {"resourceType": each, "locations": sorted(LOCATIONS)} for each in TYPES.get(namespace, ())
            ],
        }


def _namespace(name: str) -> str:
    known = next((each for each in NAMESPACES if each.lower() == name.lower()), None)
    if known is None:
        raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.", gateway=True)
    return known
