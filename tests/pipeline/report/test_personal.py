"""The section on the model that is trained on the device."""

import dataclasses

from rich.console import Console

from pipeline.running.summary import print_verdict
from pipeline.verdict.checks import Check
from pipeline.verdict.personal.judged import Personal
from tests.support.report.report_pages import page, verdict

TOLD = Personal(
    head="softmax",
    optimizer="sgd",
    bytes=3_300_000,
    step_us=31.0,
    people=30,
    before=0.902,
    after={5: 0.91, 100: 0.955},
    plain_before=0.99,
    plain={5: 0.99, 100: 0.985},
    new_symbols=0.93,
    checks=(Check("min_gain", 0.05, 0.03), Check("max_forgotten", 0.02, 0.01)),
)


def printed(personal: Personal) -> str:
    console = Console(record=True, width=200)
    print_verdict(dataclasses.replace(verdict(), personal=personal), console)
    return console.export_text()


def test_there_is_no_section_without_one() -> None:
    assert "Personalization" not in page().text


def test_curves_checks_and_where_it_went() -> None:
    found = page(dataclasses.replace(verdict(), personal=TOLD))
    for said in ("30 simulated people", "softmax, sgd", "90.20 %", "93.00 %", "Not pushed."):
        assert said in found.text
    assert "✗ failed: max_forgotten" in found.text and "failed: min_gain" not in found.text
    pushed = dataclasses.replace(TOLD, checks=TOLD.checks[:1], pushed_to="/srv/personal/17")
    assert pushed.blessed and not TOLD.blessed
    text = page(dataclasses.replace(verdict(), personal=pushed)).text
    assert "Pushed to /srv/personal/17" in text
    assert "personal pushed to /srv/personal/17" in printed(pushed)


def test_one_that_could_not_be_made() -> None:
    refused = Personal(head="mlp", optimizer="adam", refused="there is no kernel")
    text = page(dataclasses.replace(verdict(), personal=refused)).text
    assert "There is none: there is no kernel" in text
    assert "personal was refused: there is no kernel" in printed(refused)


def test_the_terminal_says_what_people_gain() -> None:
    text = printed(TOLD)
    assert "30 simulated people go from 90.2% to 95.5% with 100 samples each" in text
    assert "personal failed max_forgotten" in text
