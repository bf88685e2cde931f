"""Which parts of sqlglot's tree mean something here.

sqlglot reads the clauses of every dialect: what is in a tree and is not in this table would be passed over in silence,
so it is refused. What is T-SQL's and is not carried out is in the table, for the compiler to refuse by its name.
"""

from __future__ import annotations

from sqlglot import exp

from setup_kit.sandbox.sql import errors

_QUERY = "with_ order limit offset for_ options"

_TABLE: dict[type[exp.Expr], str] = {
    # Statements and their clauses
    exp.Select: f"{_QUERY} distinct expressions from_ group having into joins laterals where windows",
    exp.Union: f"{_QUERY} distinct expression this",
    exp.Except: f"{_QUERY} distinct expression this",
    exp.Intersect: f"{_QUERY} distinct expression this",
    exp.Subquery: "alias joins pivots sample this with_",
    exp.Insert: "default expression hint this with_",
    exp.Update: "expressions from_ this where with_",
    exp.Delete: "tables this where with_",
    exp.Merge: "on this using whens with_",
    exp.When: "condition matched source then",
    exp.Whens: "expressions",
    exp.With: "expressions",
    exp.CTE: "alias this",
    exp.From: "this",
    exp.Where: "this",
    exp.Having: "this",
    exp.Group: "cube expressions grouping_sets rollup",
    exp.Rollup: "expressions",
    exp.Cube: "expressions",
    exp.GroupingSets: "expressions",
    exp.Order: "expressions this",
    exp.Ordered: "desc nulls_first this",  # nulls_first: sqlglot's note of the dialect's own order
    exp.Limit: "expression limit_options",
    exp.Fetch: "count direction limit_options",
    exp.LimitOptions: "percent rows with_ties",
    exp.Offset: "expression",
    exp.Distinct: "expressions",
    exp.Into: "temporary this",
    exp.ForClause: "expressions kind",
    exp.QueryOption: "expression this",
    exp.Values: "alias expressions",
    exp.Schema: "expressions this",
    # Sources
    exp.Table: "alias catalog db hints joins laterals pivots sample this version",
    exp.TableAlias: "columns this",
    exp.TableSample: "expression percent rows size this",
    exp.Pivot: "alias columns expressions fields pivot_column_naming unpivot",
    exp.Version: "expression kind this",
    exp.Join: "hint kind on side this",
    exp.Lateral: "alias cross_apply outer this",
    exp.WithTableHint: "expressions",
    exp.Hint: "expressions",
    # Names
    exp.Column: "catalog db table this",
    exp.Dot: "expression this",
    exp.Identifier: "global_ quoted temporary this",
    exp.Parameter: "this",
    exp.Star: "",
    exp.Var: "this",
    exp.Alias: "alias this",
    # Values
    exp.Literal: "is_string this",
    exp.National: "this",
    exp.HexString: "this",
    exp.Null: "",
    exp.Boolean: "this",
    exp.Paren: "this",
    exp.Tuple: "expressions",
    exp.Neg: "this",
    exp.BitwiseNot: "this",
    exp.Case: "default ifs this",
    exp.If: "this true",
    exp.Cast: "this to",
    exp.TryCast: "safe this to",
    exp.Convert: "expression safe style this",
    exp.DataType: "expressions kind nested this",
    exp.DataTypeParam: "this",
    exp.Collate: "expression this",
    exp.AtTimeZone: "this zone",
    exp.NextValueFor: "this",
    exp.Anonymous: "expressions this",
    exp.GroupConcat: "separator this",
    exp.WithinGroup: "expression this",
    exp.Extract: "expression this",
    exp.Window: "alias order over partition_by spec this",
    exp.WindowSpec: "end end_side kind start start_side",
    exp.CurrentUser: "",
    exp.SessionUser: "",
    exp.CurrentTimestamp: "",
    # Conditions
    exp.Not: "this",
    exp.Is: "expression this",
    exp.Exists: "this",
    exp.In: "expressions query this",
    exp.Between: "high low this",
    exp.Like: "expression this",
    exp.Escape: "expression this",
    exp.Any: "this",
    exp.All: "this",
    **dict.fromkeys((exp.And, exp.Or, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), "expression this"),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Mod), "expression this"),
    exp.Div: "expression this typed",
    **dict.fromkeys((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor), "expression this"),
}
_PARTS = {kind: frozenset(parts.split()) for kind, parts in _TABLE.items()}


def check(tree: exp.Expr, last: str) -> None:
    """102 for a part that T-SQL lacks, or that lacks something; `last` is the statement's last word."""
    for node in tree.walk():
        parts = _PARTS.get(type(node))
        if parts is None:
            raise errors.incorrect_syntax(node.sql(dialect="tsql")[:60])
        for name, value in node.args.items():
            if value and name not in parts:
                raise errors.incorrect_syntax(name.strip("_").upper())
        if isinstance(node, exp.Ordered) and bool(node.args.get("nulls_first")) is bool(node.args.get("desc")):
            raise errors.incorrect_syntax("NULLS")
        if _is_half(node):
            raise errors.incorrect_syntax(last)


def _is_half(node: exp.Expr) -> bool:
    """What sqlglot lets pass although something must follow, such as the query of an INSERT."""
    match node:
        case exp.Select():
            return not node.expressions or bool(node.args.get("joins") and not node.args.get("from_"))
        case exp.Insert():
            return node.expression is None and not node.args.get("default")
        case exp.Update():
            return not node.expressions
        case exp.SetOperation():
            return node.this is None or node.expression is None
        case exp.When():
            then = node.args.get("then")
            return isinstance(then, exp.Insert) and not isinstance(then.expression, exp.Expr)
        case exp.DataTypeParam():
            return not ((node.name.isascii() and node.name.isdigit()) or node.name.upper() == "MAX")
    return False
