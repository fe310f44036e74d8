"""Reports: columns, explanations, and the page in a real browser."""

import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tb.cli import main
from tb.report.columns import align
from tb.report.explain import explain, first_wrong
from tb.report.page import page, record_scenarios
from tb.screenshots.chromium import browser, console_errors, use_scheme
from tb.story.acts import STORY

SCENARIOS = Path(__file__).parents[3] / "sim/scenarios"


@pytest.fixture(scope="module")
def groups():
    return record_scenarios([STORY])


@pytest.fixture(scope="module")
def shown(groups, tmp_path_factory):
    """Open the story's page in Chromium."""
    path = tmp_path_factory.mktemp("report") / "story.html"
    path.write_text(page(groups))
    with browser() as driver:
        driver.get(path.as_uri())
        yield driver


def _event(step: int, op: int, text: str = "NOP", kind: str = "op") -> dict:
    return {"step": step, "op": op, "text": text, "kind": kind}


def test_equal_moments_stand_in_equal_columns():
    one = {
        "events": [_event(0, 0, "inj 32", "step"), _event(1, 0, "RUN", "step"), _event(1, 1), _event(1, 2)]
    }
    run = _event(1, 0, "RUN", "step")
    two = {"events": [_event(0, 0, "inj 32", "step"), _event(0, 0, "KICK", "exit"), run, _event(1, 1)]}
    assert align([one, two]) == [[0, 0, 2, 3], [0, 1, 3, 3]]


def test_a_recording_without_the_first_moment_begins_later():
    one = {"events": [_event(0, 0, "inj 32", "step"), _event(1, 1)]}
    two = {"events": [_event(1, 1)]}
    assert align([one, two])[1] == [-1, 0]


def test_the_story_is_explained(groups):
    (legacy, *others), (_, late, right, _) = groups
    found = explain(legacy)
    assert (found.tone, found.headline) == ("bad", "Live-lock: 36 is never delivered")
    assert "all 4 list registers are taken by active interrupts (32, 33, 34 and 35)" in " ".join(found.text)
    assert legacy["events"][found.event]["text"] == "inj 36"
    assert [explain(one).headline for one in others] == ["Correct"] * 3
    assert explain(late).headline == "The wrong interrupt is deactivated: 37"
    assert "32, which did end, stays active" in " ".join(explain(late).text)
    assert explain(right).tone == "good"
    assert first_wrong(right) is None


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("F22_5", "96 stays active for ever"),
        ("F22_9", "Asleep although 96 is due"),
        ("F22_13", "The guest sees what no GIC would show it"),
        ("A13", "Played to the end"),
    ],
)
def test_other_ends_are_explained(name, headline):
    found = [explain(one) for [one] in record_scenarios([SCENARIOS / f"{name}.scenario"], ["7.3"])]
    assert headline in {one.headline for one in found}


def test_a_page_needs_nothing_from_outside(groups):
    text = page(groups)
    assert not re.search(r"(?:src|href)=\"(?!#|data:)|@import|url\(|https?://", text)


def test_what_a_scenario_says_cannot_become_markup(tmp_path):
    path = tmp_path / "odd.scenario"
    head = 'scenario odd: </script><b>& "quotes"\nSPI 32 prio 40\n'
    path.write_text(f"{head}steps 7.3: <i>\n    ENTER\n    inj 32\n    IAR -> 32\n")
    text = page(record_scenarios([path], ["7.3"]))
    assert "<b>" not in text.split("<main>")[1]
    assert text.count("</script>") == 2


def test_no_console_error_and_no_request(shown):
    assert console_errors(shown) == []
    assert shown.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_keys_step_through_a_scenario(shown):
    story = shown.find_element(By.ID, "story-0")
    timeline = story.find_element(By.CSS_SELECTOR, ".timeline")
    moment = story.find_element(By.CSS_SELECTOR, ".moment")
    shown.execute_script("arguments[0].focus()", timeline)
    timeline.send_keys(Keys.HOME)
    assert story.get_attribute("data-column") == "0"
    assert "Devices raise 32." in moment.text
    timeline.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert story.get_attribute("data-column") == "2"
    assert "The guest acknowledges 32." in moment.text
    timeline.send_keys(Keys.ARROW_LEFT)
    assert "enters the guest" in moment.text
    timeline.send_keys("n")
    assert "36 should be signalled; the hardware signals nothing" in moment.text
    timeline.send_keys(Keys.END)
    assert "The loop goes round for ever." in moment.text
    outline = timeline.value_of_css_property("outline-style")
    assert outline == "solid"  # the focus can be seen
    assert timeline.get_attribute("aria-label").startswith("Timeline of")
    assert moment.get_attribute("aria-live") == "polite"


def test_clicks_go_through_a_scenario(shown):
    story = shown.find_element(By.ID, "story-1")
    shown.execute_script("arguments[0].scrollIntoView()", story)
    moment = story.find_element(By.CSS_SELECTOR, ".moment")
    jumps = story.find_elements(By.CSS_SELECTOR, ".jump")
    shown.execute_script("arguments[0].scrollIntoView({block: 'center'})", jumps[1])
    jumps[1].click()
    assert "deactivates 37, which the guest is handling" in moment.text
    assert shown.switch_to.active_element.get_attribute("class") == "timeline"
    before = int(story.get_attribute("data-column"))
    story.find_element(By.CSS_SELECTOR, "[data-go=back]").click()
    assert int(story.get_attribute("data-column")) == before - 1
    box = story.find_element(By.CSS_SELECTOR, "[data-shows='0']")
    box.click()
    assert not story.find_element(By.CSS_SELECTOR, ".play[data-play='0']").is_displayed()
    assert len(moment.find_elements(By.CSS_SELECTOR, "h4")) == 3
    box.click()
    story.find_element(By.CSS_SELECTOR, "[data-go=start]").click()
    bar = story.find_element(By.CSS_SELECTOR, ".play[data-play='2'] .bar.op")
    shown.execute_script("arguments[0].scrollIntoView({block: 'center'})", bar)
    bar.click()
    assert story.get_attribute("data-column") == bar.get_attribute("data-column")
    assert console_errors(shown) == []


def test_lanes_show_what_was_recorded(shown):
    play = shown.find_element(By.CSS_SELECTOR, "#story-1 .play[data-play='2']")
    labels = [one.get_attribute("textContent") for one in play.find_elements(By.CSS_SELECTOR, ".label")]
    assert labels[:7] == ["guest", "hypervisor", "LR0", "LR1", "LR2", "LR3", "overflow list"]
    assert labels[-5:] == [
        "hardware signals",
        "ideal GIC signals",
        "ideal: pending",
        "ideal: handling",
        "difference",
    ]
    titles = {one.get_attribute("title") for one in play.find_elements(By.CSS_SELECTOR, ".bar.over")}
    assert {"33 active, priority 0x90", "32 active, priority 0xa0"} <= titles


def _contrast(driver, selector: str) -> float:
    """Return the contrast of a text with its background, as WCAG defines it."""
    script = """
      const one = document.querySelector(arguments[0]), style = getComputedStyle(one);
      let under = one;
      while (getComputedStyle(under).backgroundColor === 'rgba(0, 0, 0, 0)') under = under.parentElement;
      return [style.color, getComputedStyle(under).backgroundColor];
    """
    lights = []
    for colour in driver.execute_script(script, selector):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(shown, scheme):
    use_scheme(shown, scheme)
    ground = shown.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) > 380) == (scheme == "light")
    keys = [f".key.{name}" for name in ("pending", "active", "both", "exit", "late", "wrong")]
    texts = ["body", ".meta", ".badge.good", ".badge.bad", ".bar.op", ".bar.device", ".label", ".jump"]
    for selector in (*keys, *texts):
        assert _contrast(shown, selector) >= 4.5, selector


@pytest.mark.parametrize("width", [1280, 800])
def test_the_page_is_as_wide_as_the_window(shown, width):
    metrics = {"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    shown.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert shown.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_command_writes_the_page(tmp_path, capsys):
    out = tmp_path / "report.html"
    with pytest.raises(SystemExit) as exit_:
        main(["report", str(STORY), "--profile", "6.19", "-o", str(out)])
    assert exit_.value.code == 0
    assert "story: 6.19  The wrong interrupt is deactivated: 37" in capsys.readouterr().out
    assert out.read_text().startswith("<!DOCTYPE html>")


def test_sequences_of_one_scenario_are_told_apart(tmp_path, capsys):
    path = tmp_path / "two.scenario"
    path.write_text("scenario two: x\nSPI 32 prio 40\nsteps 7.3:\ninj 32\nsteps legacy: again\ninj 32\n")
    with pytest.raises(SystemExit):
        main(["report", str(path), "--profile", "7.3", "-o", str(tmp_path / "report.html")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0::2] == ["two, the steps for 7.3:", "two, again:", lines[-1]]
    links = re.findall(r'<li><a href="#story-[01]">(.*?)</a>', (tmp_path / "report.html").read_text())
    assert links == ["two: steps for 7.3", "two: again"]


def test_an_expectation_that_fails_is_status_1(tmp_path, capsys):
    path = tmp_path / "fails.scenario"
    path.write_text("scenario fails: x\nSPI 32 prio 40\nsteps 7.3:\n    ENTER\n    inj 32\n    IAR -> none\n")
    with pytest.raises(SystemExit) as exit_:
        main(["report", str(path), "--profile", "7.3", "-o", str(tmp_path / "report.html")])
    assert exit_.value.code == 1
    printed = capsys.readouterr().out
    assert "fails: 7.3  Not as expected" in printed
    assert "IAR1 -> 32" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["none.scenario"], "none.scenario"),
        ([str(STORY), "--mi-latency", "40cycles"], "a latency in cycles needs an engine that tells the time"),
        ([str(STORY), "--profile", "nope"], "unknown hypervisor 'nope'"),
        ([str(SCENARIOS / "A26.scenario")], "nothing to play"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, arguments, text):
    with pytest.raises(SystemExit) as exit_:
        main(["report", *arguments, "-o", str(tmp_path / "report.html")])
    err = capsys.readouterr().err
    assert (exit_.value.code, err.count("\n")) == (2, 1)
    assert text in err
    assert not list(tmp_path.iterdir())


def test_a_missing_browser_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match="apt-get install chromium chromium-driver"), browser():
        pass
