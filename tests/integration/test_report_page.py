"""The page of a report in a browser without network."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import polytag
from polytag import Report
from polytag.runner import TrainResult
from polytag.tagger.marks import colours, marks_html
from polytag.tagger.results import TaggedSpan, TaggedText

SAME = """(html) => {
  const plain = (text) => {
    for (const one of text.querySelectorAll("*")) {
      one.removeAttribute("title");
      one.classList.remove("off");
    }
    return text.outerHTML;
  };
  const expected = document.createElement("div");
  expected.innerHTML = html;
  return [document.querySelector("#list .polytag-text"), expected.querySelector(".polytag-text")].map(plain);
}"""
"""The first marks of the page, and those of a piece of HTML, without what only one of them has."""


@pytest.fixture(scope="module")
def report(joint_run: TrainResult, ner_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Report:
    output = tmp_path_factory.mktemp("page") / "report.html"
    return polytag.report(joint_run.output, "sample", output=output, against=ner_run.output)


@pytest.fixture(scope="module")
def short(
    joint_run: TrainResult, ner_run: TrainResult, tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> Report:
    """A page on 16 sentences and one task: axe looks at every element."""
    output = tmp_path_factory.mktemp("short") / "report.html"
    return polytag.report(ner_run.output, str(tiny_corpus), output=output, against=joint_run.output)


@pytest.fixture(scope="module")
def figures(report: Report):
    return json.loads(report.data.read_text(encoding="utf-8"))


@pytest.fixture
def opened(browser):
    """Open a page offline; whatever a test does, nothing is requested and nothing goes wrong."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.set_default_timeout(10_000)
    requests, wrong = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(said.text))

    def opened(path: Path):
        page.goto(path.as_uri())
        return page

    yield opened
    urls = {page.url}
    context.close()
    assert set(requests) <= urls
    assert wrong == []


def counts(page) -> tuple[int, int]:
    """The numbers of mistakes and of sentences that the page shows."""
    words = page.locator("#found").inner_text().replace(",", "").split()
    return int(words[0]), int(words[3])


def test_the_filters_find_what_the_confusions_count(opened, report: Report, joint_run: TrainResult):
    page = opened(report.page)
    tasks = polytag.evaluate(joint_run.output, "sample", confusions=10_000).tasks
    assert counts(page)[0] == sum(one.count for task in tasks.values() for one in task.confusions)
    for name in ("ner", "pos"):
        page.select_option("[name=task]", name)
        assert counts(page)[0] == sum(one.count for one in tasks[name].confusions)
        kinds: Counter[str] = Counter()
        for one in tasks[name].confusions:
            kinds[one.kind] += one.count
        for kind, count in kinds.items():
            page.select_option("[name=kind]", kind)
            assert counts(page)[0] == count
        for one in tasks[name].confusions[:4]:
            page.select_option("[name=kind]", one.kind)
            page.select_option("[name=gold]", one.gold)
            page.select_option("[name=predicted]", one.predicted)
            assert counts(page)[0] == one.count
            assert page.locator("#list article").count() == min(counts(page)[1], 20)
    page.click("#filters [type=reset]")
    page.wait_for_function("document.querySelector('[name=kind]').value === ''")
    assert counts(page)[0] == sum(one.count for task in tasks.values() for one in task.confusions)


def test_the_filters_find_a_bucket_and_a_text(opened, report: Report, figures):
    page = opened(report.page)
    page.select_option("[name=task]", "ner")
    mistakes = figures["tasks"]["ner"]["mistakes"]
    buckets = Counter(
        tuple(one) for some in mistakes for mistake in some["mistakes"] for one in mistake["buckets"].items()
    )
    for key, count in buckets.most_common(3):
        page.select_option("[name=bucket]", json.dumps(key, separators=(",", ":")))
        assert counts(page)[0] == count
    page.select_option("[name=bucket]", "")
    word = mistakes[0]["words"][0].upper()
    page.fill("#filters [name=text]", word)
    expected = [some for some in mistakes if word.lower() in " ".join(some["words"]).lower()]
    assert counts(page) == (sum(len(some["mistakes"]) for some in expected), len(expected))


def test_a_cell_of_the_matrix_shows_its_mistakes_by_keyboard(opened, report: Report):
    page = opened(report.page)
    cell = page.locator(".matrix button").first
    cell.focus()
    page.keyboard.press("Enter")
    assert counts(page)[0] == int(cell.inner_text().lstrip("+").replace(",", ""))
    assert page.evaluate("document.activeElement.name") == "gold"


def test_more_sentences_are_shown_on_demand(opened, report: Report):
    page = opened(report.page)
    sentences = counts(page)[1]
    assert sentences > 20
    page.click("#more")
    assert page.locator("#list article").count() == min(sentences, 40)
    assert page.evaluate("document.activeElement.className") == "sentence"


def test_marks_are_as_everywhere_else(opened, report: Report, figures, joint_run: TrainResult):
    page = opened(report.page)
    for name in ("ner", "pos"):
        page.select_option("[name=task]", name)
        found = figures["tasks"][name]["mistakes"][0]
        text = " ".join(found["words"])
        offsets, start = [], 0
        for word in found["words"]:
            offsets.append((start, start + len(word)))
            start += len(word) + 1
        tagged = TaggedText(text, [], found["words"], offsets, [0], {name: []}, {name: [0.0] * len(offsets)})
        if name == "pos":
            tagged = replace(tagged, tags={name: found["gold"]})
        else:
            spans = [
                TaggedSpan(name, label, 0.0, text[offsets[a][0] : offsets[b - 1][1]], offsets[a][0], offsets[b - 1][1])
                for a, b, label in found["gold"]
            ]
            tagged = replace(tagged, spans=spans)
        labels = figures["tasks"][name]["inventory"] + figures["tasks"][name]["confusion"]["labels"]
        html = marks_html(tagged, {name: colours(labels)})
        same = page.evaluate(SAME, html)
        assert same[0] == same[1]


def test_wins_and_losses_are_listed(opened, report: Report, figures):
    page = opened(report.page)
    sentences = figures["against"]["tasks"]["ner"]["sentences"]
    wins = sum(one["wrong"][1] < one["wrong"][0] for one in sentences)
    shown = page.locator("#outcome-found")
    assert shown.inner_text() == f"{wins} win{'s' * (wins != 1)}, {len(sentences) - wins} losses."
    page.select_option("[name=outcome]", "win")
    assert shown.inner_text().endswith(", 0 losses.")
    assert page.locator("#outcome-list article").count() == min(wins, 20)


def test_no_interval_is_cut_off_at_the_width_of_a_desktop(
    opened, ner_run: TrainResult, tiny_corpus: Path, tmp_path: Path
):
    page = opened(polytag.report(ner_run.output, str(tiny_corpus), output=tmp_path / "alone.html").page)
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.locator("#buckets caption").filter(has_text="seen in training").count() == 1
    sizes = page.locator("#buckets .scroll").evaluate_all("all => all.map(one => [one.scrollWidth, one.clientWidth])")
    assert all(needed <= given for needed, given in sizes)


def test_a_printed_list_says_that_it_goes_on(opened, report: Report):
    page = opened(report.page)
    page.emulate_media(media="print")
    told = "getComputedStyle(document.querySelector('#list'), '::after').content"
    assert "Show more" in page.evaluate(told)
    while page.locator("#more").get_attribute("hidden") is None:
        page.evaluate("document.getElementById('more').click()")
    assert page.evaluate(told) == "none"


def test_a_table_is_sorted_by_a_column(opened, report: Report):
    page = opened(report.page)
    table = page.locator("#scores table").first
    table.get_by_role("button", name="f1").click()
    values = [float(text) for text in table.locator("tbody td.strong").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    assert table.locator("th[aria-sort=descending]").count() == 1


def test_without_programs_the_page_offers_no_filters(browser, report: Report):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(report.page.as_uri())
    assert page.locator("noscript").inner_text().startswith("The mistakes are shown by a small program")
    assert page.locator("select:visible, input:visible").count() == 0
    assert page.locator(".bucket:visible").count() > 0
    context.close()


def test_hostile_text_does_nothing(opened, ner_run: TrainResult, tmp_path: Path):
    words = ["<img/src=x/onerror=alert(1)>", "</script><script>alert(2)</script>", "\u202eAnna", "x" * 10_000, "محمد"]
    lines = [{"tokens": words, "ner_tags": ["B-<b>", "O", "B-PER", "B-</script>", "B-" + "long" * 50]}] * 2
    corpus = tmp_path / "test.jsonl"
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = opened(polytag.report(ner_run.output, f"test={corpus}", output=tmp_path / "hostile.html").page)
    page.set_viewport_size({"width": 390, "height": 800})
    assert counts(page)[0] >= 2
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = page.locator("#list .polytag-text").first.inner_text()
    assert "</script><script>alert(2)</script>" in shown
    assert r"\u202eAnna" in shown


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_nothing_serious_bars_anybody(opened, short: Report, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(short.page)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
