"""Runs of runbooks through the installed command, without a cloud."""

from __future__ import annotations

import json
import os
import signal
import stat

from tests.unit.runbooks.conftest import Desk, step


def test_a_run_does_each_step_and_leaves_a_record_for_its_owner_alone(desk: Desk) -> None:
    desk.write(step("1. Say", "echo hello", "text: hello") + step("2. Count", "echo '{\"a\": [1]}'", "json: {a: [1]}"))
    done = desk.run()
    assert done.code == 0, done.err
    assert "Step 2 of 2: Count" in done.out
    assert [entry["status"] for entry in desk.record["entries"]] == ["done", "done"]
    assert desk.record["outcome"] == "succeeded"
    for file in desk.runs[0].iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = (desk.runs[0] / "record.md").read_text(encoding="utf-8")
    assert text.startswith("# A trial\n\nOutcome: **succeeded**.")
    assert "```sh\necho hello\n```" in text


def test_it_stops_at_the_first_failure_and_says_what_was_seen_and_how_to_go_on(desk: Desk) -> None:
    desk.write(step("One", "true") + step("Two", "echo '{\"n\": 3}'", "json: {n: 4}") + step("Three", "touch reached"))
    failed = desk.run()
    assert failed.code == 1
    assert "step 2, Two: expected n = 4, seen 3" in failed.err
    assert "setup-kit runbook run ./trial.md --from 2" in failed.err
    assert not (desk.folder / "reached").exists()
    assert desk.record["outcome"] == "failed"
    assert desk.record["next_step"] == 2


def test_a_command_that_fails_in_the_middle_of_a_block_fails_the_block(desk: Desk) -> None:
    desk.write(step("One", "false\ntouch reached"))
    assert desk.run().code == 1
    assert not (desk.folder / "reached").exists()


def test_a_variable_that_nobody_set_fails_the_step(desk: Desk) -> None:
    desk.write(step("One", 'echo "$AZURE_NOWHERE"'))
    assert "AZURE_NOWHERE" in desk.run().out
    assert desk.record["outcome"] == "failed"


def test_an_expected_exit_code_other_than_zero_is_a_success(desk: Desk) -> None:
    desk.write(step("One", "exit 3", "exit: 3"))
    assert desk.run().code == 0


def test_text_that_must_not_appear_fails_the_step_on_either_stream(desk: Desk) -> None:
    desk.write(step("One", "echo FAILED >&2", "absent: FAILED"))
    assert "expected no text 'FAILED', seen" in desk.run().err


def test_an_input_reaches_commands_as_it_is_and_is_never_read_as_shell(desk: Desk) -> None:
    value = "$(touch pwned) `touch pwned`; touch pwned \"' \\"
    desk.write(step("One", 'printf "<%s>" "$word"'), "  word: {description: A word}\n")
    assert f"<{value}>" in desk.run("-i", f"word={value}").out
    assert not (desk.folder / "pwned").exists()


def test_what_a_step_exports_later_steps_have_as_in_a_terminal(desk: Desk) -> None:
    desk.write(step("One", "ID=a-1\nexport ID\nown=2") + step("Two", 'echo "$ID ${own:-gone}"', "text: a-1 gone"))
    assert desk.run().code == 0


def test_a_step_whose_condition_does_not_hold_is_skipped_visibly(desk: Desk) -> None:
    inputs = "  cloud: {type: choice, choices: [public, sandbox], description: The cloud}\n"
    desk.write(step("One", "touch reached", when="cloud == public") + step("Two", "true"), inputs)
    done = desk.run("-i", "cloud=sandbox")
    assert done.code == 0
    assert "skipped: only when cloud == public" in done.out
    assert [entry["status"] for entry in desk.record["entries"]] == ["skipped", "done"]
    assert not (desk.folder / "reached").exists()


def test_a_bounded_wait_repeats_until_the_answer_is_the_expected_one(desk: Desk) -> None:
    script = "echo x >> count\n[ $(wc -l < count) -ge 3 ]"
    desk.write(step("One", script, "within: 30\nevery: 1"))
    done = desk.run()
    assert done.code == 0, done.err
    assert desk.record["entries"][0]["attempts"] == 3
    assert "not yet: expected exit code 0, seen 1" in done.out


def test_a_command_that_outlives_its_bound_is_ended(desk: Desk) -> None:
    desk.write(step("One", "echo begun; sleep 100; echo never", "within: 1"))
    failed = desk.run()
    assert failed.code == 1
    assert "expected an end within 1 s" in failed.err
    assert desk.record["entries"][0]["output"] == "begun"


def test_secrets_are_masked_on_the_screen_and_in_both_records(desk: Desk) -> None:
    secret, made = "pass \"word' 7&", "made-token-12345"
    body = step("One", 'echo "it is $password"\nexport MY_TOKEN=made-token-$((12340 + 5))') + step(
        "Two", 'echo "$MY_TOKEN" >&2'
    )
    desk.write(body, "  password: {secret: true, description: The password}\n")
    done = desk.run(SETUP_KIT_INPUT_PASSWORD=secret, AZURE_CLIENT_SECRET="inherited-secret")
    assert done.code == 0, done.err
    assert "it is ***" in done.out
    for file in desk.runs[0].iterdir():
        text = file.read_text(encoding="utf-8")
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text
    assert made not in done.out
    assert made not in (desk.runs[0] / "record.json").read_text(encoding="utf-8")


def test_a_secret_is_not_taken_from_the_command_line(desk: Desk) -> None:
    desk.write(step("One", 'echo "$password"'), "  password: {secret: true, description: The password}\n")
    refused = desk.run("-i", "password=visible-to-all")
    assert refused.code == 2
    assert "SETUP_KIT_INPUT_PASSWORD" in refused.err
    assert "visible-to-all" not in refused.err


def test_inputs_are_checked_and_all_that_is_missing_is_named_before_anything_runs(desk: Desk) -> None:
    inputs = (
        "  word: {pattern: '[a-z]+', description: A word}\n"
        "  count: {type: integer, minimum: 1, maximum: 9, description: How many}\n"
        "  size: {type: choice, choices: [small, large], description: The size}\n"
        "  environment: {type: environment, description: The environment}\n"
    )
    desk.write(step("One", 'touch reached; echo "$word $count $size $environment"'), inputs)
    missing = desk.run()
    assert missing.code == 2
    for name in ("word", "count", "size", "environment"):
        assert f"--input {name}=" in missing.err
    for given, told in (
        ("word=A1", "does not match [a-z]+"),
        ("count=10", "at least 1 and at most 9"),
        ("size=smal", "did you mean small?"),
        ("environment=nowhere", "setup-kit init nowhere"),
        ("wrod=a", "did you mean word?"),
        ("word=a\nb", "more than a line"),
    ):
        refused = desk.run("-i", given)
        assert refused.code == 2
        assert told in refused.err
    assert not (desk.folder / "reached").exists()
    assert desk.runs == []


def test_a_run_is_continued_with_its_answers_and_what_its_steps_exported_as_one_record(desk: Desk) -> None:
    body = step("One", "export ID=a-1") + step("Two", 'test -e mended; echo "$ID $word"', "text: a-1 blue")
    desk.write(body, "  word: {description: A word}\n")
    assert desk.run("-i", "word=blue").code == 1
    (desk.folder / "mended").touch()
    done = desk.run("--from", "two")
    assert done.code == 0, done.err
    assert len(desk.runs) == 1
    assert desk.record["outcome"] == "succeeded"
    assert [(entry["step"], entry["status"]) for entry in desk.record["entries"]] == [
        (1, "done"),
        (2, "failed"),
        (2, "done"),
    ]
    assert len(desk.record["continued"]) == 1


def test_a_changed_runbook_does_not_finish_a_run_that_another_text_began(desk: Desk) -> None:
    desk.write(step("One", "true") + step("Two", "false"))
    assert desk.run().code == 1
    desk.write(step("One", "true") + step("Two", "touch reached"))
    refused = desk.run("--from", "2")
    assert refused.code == 2
    assert "has changed since the run of" in refused.err
    assert not (desk.folder / "reached").exists()
    assert desk.run("--from", "2", "--changed").code == 0
    assert (desk.folder / "reached").exists()


def test_continuing_after_a_secret_that_no_record_keeps_names_the_step_that_makes_it(desk: Desk) -> None:
    desk.write(step("One", "export MY_TOKEN=abcdef-123") + step("Two", 'test -e mended; test -n "$MY_TOKEN"'))
    assert desk.run().code == 1
    refused = desk.run("--from", "2")
    assert refused.code == 2
    assert "--from 1" in refused.err
    (desk.folder / "mended").touch()
    assert desk.run("--from", "1").code == 0


def test_a_step_that_is_not_there_is_named_with_those_that_are(desk: Desk) -> None:
    desk.write(step("Make it", "true"))
    refused = desk.run("--from", "make-its")
    assert refused.code == 2
    assert "did you mean make-it?" in refused.err


def test_a_dry_run_shows_everything_and_runs_nothing(desk: Desk) -> None:
    desk.write(step("One", "touch reached", "text: done", caution="It burns."))
    shown = desk.run("--dry-run")
    assert shown.code == 0
    for text in ("touch reached", "the text 'done'", "asks first: It burns.", "Nothing was run."):
        assert text in shown.out
    assert not (desk.folder / "reached").exists()
    assert desk.runs == []


def test_where_nobody_can_be_asked_auto_is_demanded(desk: Desk) -> None:
    desk.write(step("One", "touch reached"))
    refused = desk.command("run", "./trial.md")
    assert refused.code == 2
    assert "--auto" in refused.err


def test_json_is_one_document_on_standard_output_and_the_rest_goes_elsewhere(desk: Desk) -> None:
    desk.write(step("One", "echo hello"))
    done = desk.run("--output", "json")
    document = json.loads(done.out)
    assert document["outcome"] == "succeeded"
    assert document["entries"][0]["output"] == "hello"
    assert "hello" in done.err


def test_ctrl_c_lets_the_command_end_in_good_order_and_says_how_to_go_on(desk: Desk) -> None:
    script = "trap 'echo tidied; exit 7' INT\necho begun\nwhile :; do sleep 0.1; done"
    desk.write(step("One", script) + step("Two", "touch reached"))
    process = desk.start("run", "./trial.md", "--auto")
    assert process.stdout is not None
    while "begun" not in (line := process.stdout.readline()) or "│" not in line:
        assert line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "tidied" in out
    assert "--from 1" in err
    assert desk.record["outcome"] == "interrupted"
    assert not (desk.folder / "reached").exists()


def test_setup_kit_in_a_runbook_is_this_very_installation_whatever_the_path_says(desk: Desk) -> None:
    desk.variables["PATH"] = "/usr/bin:/bin"
    (desk.folder / "setup_kit").mkdir()
    (desk.folder / "setup_kit" / "__init__.py").write_text("raise SystemExit('another')", encoding="utf-8")
    desk.write(step("One", "setup-kit --version", "text: setup-kit"))
    assert desk.run().code == 0


def test_what_a_step_leaves_running_does_not_hold_the_run_up(desk: Desk) -> None:
    desk.write(step("One", "sleep 30 &\necho $! > pid"))
    done = desk.run()
    assert done.code == 0
    assert desk.record["entries"][0]["seconds"] < 20
    os.kill(int((desk.folder / "pid").read_text()), signal.SIGTERM)
