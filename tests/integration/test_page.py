"""The page of the server, in a browser: what is typed, what is seen, and that nothing else happens."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from polytag import Tagger
from polytag.runner import TrainResult
from polytag.serving import page_routes
from polytag.serving.app import create_app
from polytag.tagger.marks import colours, marks_html
from polytag.tagger.results import TaggedSpan, TaggedText
from support.page_server import serving

TEXT = "Anna Keller met Peter in Geneva."
HOSTILE = '<script>alert(1)</script> <img src=x onerror=alert(2)> Anna\' "Keller" & </mark>'
TOKEN = "correct horse"


@pytest.fixture(scope="module")
def tagger(joint_run: TrainResult) -> Tagger:
    return Tagger.load(joint_run.output)


@pytest.fixture(scope="module")
def url(tagger: Tagger) -> Iterator[str]:
    """Two names for one tagger; below /guarded/, the same with a token."""
    app = create_app({"news": tagger, "other": tagger})
    app.mount("/guarded", create_app({"news": tagger}, token=TOKEN))
    with serving(app) as address:
        yield address


@pytest.fixture
def page(browser, url):
    """A page in an empty profile. Whatever a test does, no request leaves the server and nothing goes wrong."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(10_000)
    requests, wrong = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(said.text))
    page.tag_requests = lambda: [one for one in requests if one.endswith("/v1/tag")]
    yield page
    outside = [one for one in requests if not one.startswith((url, f"blob:{url}"))]
    context.close()
    assert outside == []
    assert [one for one in wrong if not re.search(r"status of (401|413)", one)] == []


def type_text(page, text: str) -> None:
    """Type a text, and wait for its answer."""
    with page.expect_response("**/v1/tag"):
        page.fill("#text", text)
    page.wait_for_function(
        "text => document.querySelector('#json-text').textContent.includes(text)",
        arg=json.dumps(text, ensure_ascii=False),
    )


def slide(page, least: float) -> None:
    """Move the slider, and wait until the page is drawn again."""
    page.locator("#least").fill(str(least))
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def opened(page, address: str):
    page.goto(address)
    page.wait_for_selector("#marks .polytag-text")
    return page


def marked(page, task: int = 0) -> list[str]:
    return page.locator("#marks .polytag-row").nth(task).locator("mark").all_inner_texts()


# What is seen


def test_what_is_typed_is_marked(page, url, tagger):
    type_text(opened(page, url), TEXT)
    spans = [span for span in tagger.tag(TEXT).spans if span.task == "ner"]
    assert marked(page) == [f"{span.text} {span.label}" for span in spans]
    assert page.locator("#marks .polytag-task").all_inner_texts() == ["ner", "pos", "chunk"]
    first = [cell.strip() for cell in page.locator("#rows tr").first.locator("th, td").all_inner_texts()]
    found = tagger.tag(TEXT).spans[0]
    assert first[:3] == [found.text, found.label, found.task]
    assert first[4:] == [str(found.start), str(found.end)]
    answer = tagger.tag(TEXT, alternatives=3).to_dict()
    assert json.loads(page.text_content("#json-text")) == json.loads(json.dumps(answer))
    assert "in 7 words" in page.inner_text("#status")


def test_the_page_begins_with_an_example_of_the_tagger(page, url, registry):
    opened(page, url)
    assert page.input_value("#text") == registry.tasks["ner"].examples[0]
    with page.expect_response("**/v1/tag"):
        page.click("#examples button:has-text('old man')")
    assert page.input_value("#text") in registry.tasks["pos"].examples


def test_the_slider_filters_without_a_request(page, url, tagger):
    type_text(opened(page, url), TEXT)
    scores = sorted(span.score for span in tagger.tag(TEXT).spans if span.task == "ner")
    least = round(scores[0] + 0.01, 2)
    asked = len(page.tag_requests())
    slide(page, least)
    expected = [
        f"{one.text} {one.label}" for one in replace(tagger, min_score=least).tag(TEXT).spans if one.task == "ner"
    ]
    assert marked(page) == expected
    assert len(expected) < len(scores)
    assert page.inner_text("#least-value") == f"{least:.2f}"
    assert len(page.tag_requests()) == asked


def test_tasks_are_switched_without_a_request(page, url):
    type_text(opened(page, url), TEXT)
    asked = len(page.tag_requests())
    page.uncheck("#tasks input[value=ner]")
    page.uncheck("#tasks input[value=chunk]")
    assert page.locator("#marks .polytag-row").count() == 1
    assert page.locator("#marks .polytag-pair").count() == 7
    assert page.locator("#rows tr").count() == 7  # words, as this task has no spans
    assert len(page.tag_requests()) == asked


@pytest.mark.parametrize("reached_by", ["pointer", "keyboard"])
def test_a_word_says_its_score_and_its_runners_up(page, url, tagger, reached_by):
    type_text(opened(page, url), TEXT)
    words = page.locator("#marks .polytag-row").first.locator(".polytag-word")
    if reached_by == "pointer":
        words.nth(1).hover()
    else:
        words.first.focus()
        page.keyboard.press("ArrowRight")
    tip = page.locator("#tip")
    assert tip.locator("strong").inner_text() == "Keller"
    best = tagger.tag(TEXT, alternatives=3).alternatives["ner"][1]
    assert tip.locator("th").all_inner_texts() == [label for label, _ in best]
    assert words.nth(1).get_attribute("aria-describedby") == "tip"
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_arrow_keys_follow_the_direction_of_the_text(page, url):
    type_text(opened(page, url), "محمد في القاهرة")
    words = page.locator("#marks .polytag-row").first.locator(".polytag-word")
    words.first.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#tip strong").inner_text() == "في"


def test_hostile_text_stays_text(page, url):
    type_text(opened(page, url), HOSTILE)
    for tab in ("json", "code", "table"):
        page.click(f"#tab-{tab}")
    page.locator("#marks .polytag-word").first.hover()
    assert page.locator("main :is(img, script)").count() == 0
    assert page.locator("#marks .polytag-text").first.text_content().startswith("<script>alert(1)</script> <img")


def test_hostile_labels_and_spans_stay_text(page, url, tagger):
    """No tagger here gives them: the answer is made up, with one word that is the whole text."""
    opened(page, url)
    span = {"task": "ner", "label": HOSTILE, "score": 0.9, "text": HOSTILE, "start": 0, "end": len(HOSTILE)}
    found = {
        **{
            "text": HOSTILE,
            "spans": [span],
            "words": [HOSTILE],
            "offsets": [[0, len(HOSTILE)]],
            "sentence_starts": [0],
        },
        "tags": {task: [HOSTILE] for task in tagger.heads},
        "scores": {task: [0.9] for task in tagger.heads},
        "alternatives": {task: [[[HOSTILE, 0.9]]] for task in tagger.heads},
    }
    page.route("**/v1/tag", lambda route: route.fulfill(body=json.dumps({"results": [found]})))
    page.click("#form [type=submit]")
    page.wait_for_selector("#rows th:has-text('script')")
    page.locator("#marks .polytag-word").first.hover()
    assert page.inner_text("#tip strong") == HOSTILE
    page.uncheck("#tasks input[value=ner]")
    page.uncheck("#tasks input[value=chunk]")
    assert page.inner_text("#rows th") == HOSTILE
    assert page.locator(":is(main, #tip) :is(img, script)").count() == 0


# The same marks as Python's

TEXTS = (
    *(
        "",
        " ",
        "\n",
        TEXT,
        HOSTILE,
        "a\n\nb\tc",
        "tab\t\ttab",
        "one",
        "&amp; &lt; \xa0 \u200d",
        "a\u0000b \u001b[2J \u202eevil \r\n",
    ),
    *(
        "محمد صلاح يلعب في ليفربول.",
        "ראש הממשלה נפגש עם Angela Merkel בירושלים",
        "Anna שלום Peter",
        "😀 Anna 👩‍👩‍👧 Peter 🇨🇭 Geneva",
    ),
    *("東京タワー に 行く", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 Peter", "e\u0301a\u0308 Zoë", "x" * 3000, "Anna " * 200, "“Peter” — ‘Anna’…"),
)


def samples(tagger: Tagger) -> list[TaggedText]:
    """Fifty texts: tagged ones, with and without alternatives, and ones that no tagger makes."""
    found = tagger.tag(TEXTS, alternatives=3) + replace(tagger, min_score=0.6).tag(TEXTS)
    random.seed(7)
    for number in range(10):
        words = [random.choice(("<b>", "שלום", "😀", "\u202e", "\ud800", "Anna", "&", "\x85")) for _ in range(12)]
        text = " ".join(words)
        ends = [len(" ".join(words[: place + 1])) for place in range(12)]
        offsets = [(end - len(word), end) for word, end in zip(words, ends, strict=True)]
        labels = ("PER", "<i>", "\x1b", "مكان")
        spans, tags = [], {}
        for task in ("outer", "inner<", "flat"):
            tags[task] = [random.choice(("O", "B-x", *labels)) for _ in words]
            for first, last in ((0, 2), (4, 4), (5, 9)) if task != "flat" else ():
                start, end = offsets[first][0], offsets[last][1]
                score = random.random()
                spans.append(TaggedSpan(task, random.choice(labels), score, text[start:end], start, end))
        scores = {task: [random.random() for _ in words] for task in tags}
        best = (
            {task: [[("O", score), ("<b>", 0.05)] for score in scores[task]] for task in tags} if number % 2 else None
        )
        found.append(TaggedText(text, spans, words, offsets, [0], tags, scores, best))
    return found


def test_the_page_builds_the_elements_that_python_writes(page, url, tagger):
    found = samples(tagger)
    assert len(found) == 50
    cases = []
    for tagged in found:
        labels = {task: {*tags, *(one.label for one in tagged.spans)} for task, tags in tagged.tags.items()}
        numbers = {task: colours(own) for task, own in labels.items()}
        cases.append((tagged.to_dict(), numbers, marks_html(tagged, numbers)))
    opened(page, url)
    different = page.evaluate(
        """async (cases) => {
          const { marks } = await import(new URL("parts/marks.js", document.baseURI));
          return JSON.parse(cases).flatMap(([tagged, numbers, html]) => {
            const expected = document.createElement("template");
            expected.innerHTML = html;
            const found = marks(tagged, numbers);
            return found.isEqualNode(expected.content.firstChild) ? [] : [[found.outerHTML, html]];
          });
        }""",
        json.dumps(cases),
    )
    assert different == []


def test_the_filtered_text_is_what_python_gives_for_the_least_score(page, url, tagger):
    pairs = zip(
        tagger.tag(TEXTS, alternatives=2), replace(tagger, min_score=0.7).tag(TEXTS, alternatives=2), strict=True
    )
    cases = [(everything.to_dict(), sure.to_dict()) for everything, sure in pairs]
    opened(page, url)
    different = page.evaluate(
        """async (cases) => {
          const { filtered, marks } = await import(new URL("parts/marks.js", document.baseURI));
          return JSON.parse(cases).filter(([all, sure]) => {
            const found = filtered(all, Object.keys(all.tags), 0.7);
            return JSON.stringify([found.tags, found.spans]) !== JSON.stringify([sure.tags, sure.spans]);
          });
        }""",
        json.dumps(cases),
    )
    assert different == []


# What is taken away


def copied(page, button: str) -> str:
    page.click(button)
    return page.evaluate("navigator.clipboard.readText()")


def test_the_copied_command_gives_what_is_seen(page, url, tagger, capsys):
    text = 'Anna\'s friend\nPeter "Keller" \\ $HOME `id` left Geneva.'
    type_text(opened(page, url), text)
    page.uncheck("#tasks input[value=pos]")
    slide(page, 0.5)
    page.click("#tab-code")
    curl = copied(page, "#code [data-copies=curl-text]")
    assert TOKEN not in curl
    done = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True)
    (result,) = json.loads(done.stdout)["results"]
    heads = {task: tagger.heads[task] for task in ("ner", "chunk")}
    expected = replace(tagger, heads=heads, min_score=0.5).tag(text)
    assert result == json.loads(json.dumps(expected.to_dict()))
    exec(compile(copied(page, "#code [data-copies=python-text]"), "copied", "exec"), {})
    assert capsys.readouterr().out.count("\n") == len(expected.spans) + 1


def test_a_link_holds_the_text_and_the_server_does_not_see_it(page, url, browser):
    type_text(opened(page, url), HOSTILE)
    link = copied(page, "#copy-link")
    assert link.startswith(f"{url}#text=")
    page.goto("about:blank")
    with page.expect_response("**/v1/tag"):
        page.goto(link)
    assert page.input_value("#text") == HOSTILE


def test_the_history_is_kept_in_the_browser_and_can_be_cleared(page, url):
    opened(page, url)
    for text in (TEXT, HOSTILE):
        page.fill("#text", text)
        page.click("#form [type=submit]")
    opened(page, url)
    page.click("#history summary")
    assert page.locator("#history-list button").all_inner_texts() == [HOSTILE, TEXT]
    page.click(f"#history-list button:has-text('{TEXT}')")
    assert page.input_value("#text") == TEXT
    page.click("#history-clear")
    assert page.locator("#history").is_hidden()
    assert page.evaluate("localStorage.length") == 0


def test_another_tagger_is_chosen(page, url):
    opened(page, url)
    with page.expect_request("**/v1/tag") as asked:
        page.select_option("#model", "other")
    assert asked.value.post_data_json["model"] == "other"
    page.wait_for_selector("#curl-text:has-text('other')", state="attached")


# Files


def result_of(page, name: str, content: str) -> list[dict]:
    page.set_input_files("#file", {"name": name, "mimeType": "text/plain", "buffer": content.encode()})
    with page.expect_download() as download:
        page.click("#file-result")
    assert download.value.suggested_filename == f"{name.split('.')[0]}.tagged.jsonl"
    return [json.loads(line) for line in download.value.path().read_text(encoding="utf-8").splitlines()]


def tags_of(found: list[dict]) -> list[tuple]:
    """All but the scores, whose last digits depend on what is tagged together."""
    return [(one["text"], one["tags"], [(span["label"], span["text"]) for span in one["spans"]]) for one in found]


def plain(found: list[TaggedText]) -> list[tuple]:
    return tags_of([one.to_dict() for one in found])


def test_each_line_of_a_text_file_gives_a_line_of_the_result(page, url, tagger):
    texts = [f"Anna met Peter number {number} 😀." for number in range(250)] + ["", HOSTILE]
    opened(page, url)
    asked = len(page.tag_requests())
    assert tags_of(result_of(page, "texts.txt", "\r\n".join(texts))) == plain(tagger.tag(texts))
    assert len(page.tag_requests()) - asked == 2
    assert "252 lines tagged" in page.inner_text("#file-status")


def test_json_lines_of_texts_words_and_documents_are_tagged_in_order(page, url, tagger):
    words = [["Anna", "left", "."], ["Peter", "Keller", "slept"], ["Rome"]]
    rows = [{"text": TEXT, "id": 1}, *({"tokens": one, "document": number // 2} for number, one in enumerate(words))]
    content = "\n\n".join(json.dumps(row) for row in [*rows, {"tokens": ["Bo"]}])
    found = result_of(opened(page, url), "rows.jsonl", content)
    assert tags_of(found) == plain([tagger.tag(TEXT), *tagger.tag_words(words, [0, 0, 1]), *tagger.tag_words([["Bo"]])])


@pytest.mark.parametrize(
    ("content", "said"),
    [(b'{"text": "a"}\n{"text": ', "Line 2 is not JSON."), (b"[1]", 'Line 1 has no "text"'), (b"\xff", "not UTF-8")],
)
def test_what_is_wrong_with_a_file_is_said(page, url, content, said):
    opened(page, url).set_input_files("#file", {"name": "bad.jsonl", "mimeType": "text/plain", "buffer": content})
    page.wait_for_selector(f"#file-status:has-text({json.dumps(said)})")


def test_a_dropped_file_is_tagged_and_can_be_cancelled(page, url):
    opened(page, url)
    page.route("**/v1/tag", lambda route: None)  # a server that does not answer
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["Anna left."], "dropped.txt"));
          dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
        }"""
    )
    assert page.inner_text("#file-name") == "dropped.txt"
    page.click("#file-cancel")
    page.wait_for_selector("#file-status:has-text('Cancelled')")
    assert page.locator("#file-result").is_hidden()


# What can go wrong


def test_the_token_is_asked_for_and_kept_in_memory_only(page, url):
    page.goto(f"{url}guarded/")
    page.fill("#token", "wrong")
    page.press("#token", "Enter")
    page.wait_for_selector("#token-why:has-text('not accepted')")
    page.fill("#token", TOKEN)
    page.press("#token", "Enter")
    page.wait_for_selector("#marks .polytag-text")
    page.click("#tab-code")
    everywhere = (
        page.content() + page.url + page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    )
    assert TOKEN not in everywhere
    assert "Bearer $POLYTAG_TOKEN" in page.text_content("#curl-text")
    page.reload()
    page.wait_for_selector("#token-dialog[open]")


def test_an_error_of_the_server_is_shown_until_a_text_is_tagged(page, url):
    opened(page, url)
    page.route("**/v1/tag", lambda route: route.fulfill(status=413, body=json.dumps({"detail": "Too <b>long</b>."})))
    page.fill("#text", "a")
    page.wait_for_selector("#problem:has-text('Too <b>long</b>.')")
    page.unroute("**/v1/tag")
    type_text(page, TEXT)
    assert page.locator("#problem").is_hidden()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_nothing_serious_bars_anybody_on_a_screen_of_any_width(page, url, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    type_text(opened(page, url), f"{TEXT} The old man, aged 7, ran and she saw it quickly. محمد")
    page.click("#form [type=submit]")
    page.click("#history summary")
    page.evaluate("document.querySelectorAll('[role=tabpanel]').forEach((panel) => (panel.hidden = false))")
    page.locator("#marks .polytag-word").first.focus()
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_is_small():
    folder = Path(page_routes.__file__).parent / "page"
    assert sum(path.stat().st_size for path in folder.rglob("*.*")) < 100_000
