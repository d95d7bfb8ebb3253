from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag import PolytagError, PrefixScheme, Span, convert_tags
from polytag.plugin.registry import Registry

SPAN_SCHEMES = ("iob1", "iob2", "ioe1", "ioe2", "iobes", "bilou", "bmes", "bmewo")
ALL_SCHEMES = ("flat", "io", *SPAN_SCHEMES)
LABELS = ("PER", "LOC", "MISC-OTHER", "")
Sentence = tuple[list[Span], int]

each_span_scheme = pytest.mark.parametrize("name", SPAN_SCHEMES)


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    pieces = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)), max_size=8))
    spans, position = [], 0
    for gap, length, label in pieces:
        spans.append(Span(position + gap, position + gap + length, label))
        position += gap + length
    return spans, position + draw(st.integers(0, 2))


def prefixes(scheme: PrefixScheme) -> set[str]:
    every = {scheme.first, scheme.inner, scheme.last, scheme.single, scheme.contact_start, scheme.contact_end}
    return {prefix for prefix in every if prefix}


def span_sets(length: int, labels: tuple[str, ...], start: int = 0) -> list[list[Span]]:
    if start == length:
        return [[]]
    found = span_sets(length, labels, start + 1)
    for end in range(start + 1, length + 1):
        rest = span_sets(length, labels, end)
        found = [*found, *([Span(start, end, label), *spans] for label in labels for spans in rest)]
    return found


@each_span_scheme
@given(sentence=sentences())
def test_spans_survive_being_written_as_tags(registry: Registry, name: str, sentence: Sentence) -> None:
    spans, length = sentence
    scheme = registry.schemes[name]
    tags = scheme.tags(spans, length)
    assert len(tags) == length
    assert scheme.spans(tags) == spans
    assert scheme.violations(tags) == []


@given(sentence=sentences())
def test_conversion_between_any_two_span_schemes_keeps_spans(registry: Registry, sentence: Sentence) -> None:
    spans, length = sentence
    for source, target in product(SPAN_SCHEMES, SPAN_SCHEMES):
        before, after = registry.schemes[source], registry.schemes[target]
        tags = before.tags(spans, length)
        converted = convert_tags(tags, before, after)
        assert after.spans(converted) == spans
        assert convert_tags(converted, after, before) == tags


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("iob1", "I-A I-A B-A O I-B I-A"),
        ("iob2", "B-A I-A B-A O B-B B-A"),
        ("ioe1", "I-A E-A I-A O I-B I-A"),
        ("ioe2", "I-A E-A E-A O E-B E-A"),
        ("iobes", "B-A E-A S-A O S-B S-A"),
        ("bilou", "B-A L-A U-A O U-B U-A"),
        ("bmes", "B-A E-A S-A O S-B S-A"),
        ("bmewo", "B-A E-A W-A O W-B W-A"),
    ],
)
def test_each_scheme_writes_the_tags_of_its_definition(registry: Registry, name: str, tags: str) -> None:
    spans = [Span(0, 2, "A"), Span(2, 3, "A"), Span(4, 5, "B"), Span(5, 6, "A")]
    assert registry.schemes[name].tags(spans, 6) == tags.split()
    assert registry.schemes[name].spans(tags.split()) == spans


def test_io_reads_tags_with_and_without_prefix_and_writes_the_prefix(registry: Registry) -> None:
    io = registry.schemes["io"]
    for tags in ("O ORG ORG LOC O MISC-OTHER", "O I-ORG ORG I-LOC O I-MISC-OTHER"):
        spans = io.spans(tags.split())
        assert spans == [Span(1, 3, "ORG"), Span(3, 4, "LOC"), Span(5, 6, "MISC-OTHER")]
        assert io.violations(tags.split()) == []
        assert io.tags(spans, 6) == ["O", "I-ORG", "I-ORG", "I-LOC", "O", "I-MISC-OTHER"]
    assert io.violations(["O", "B-ORG", "I-ORG"]) == [1, 2]


def test_io_takes_neighbours_with_one_label_for_one_span_and_refuses_to_write_them(registry: Registry) -> None:
    io = registry.schemes["io"]
    assert io.spans(["B-ORG", "B-ORG"]) == [Span(0, 2, "ORG")]
    assert io.tags([Span(0, 1, "A"), Span(1, 2, "B"), Span(3, 4, "B")], 4) == ["I-A", "I-B", "O", "I-B"]
    with pytest.raises(PolytagError, match=r"'io' cannot write .* neighbouring words with one label are one span"):
        io.tags([Span(0, 1, "A"), Span(1, 2, "A")], 2)


@each_span_scheme
@pytest.mark.parametrize("labels", [("A", "B"), ("A", "")])
def test_a_sequence_is_allowed_exactly_when_some_spans_are_written_so(
    registry: Registry, name: str, labels: tuple[str, ...]
) -> None:
    scheme = registry.schemes[name]
    assert isinstance(scheme, PrefixScheme)
    own = [f"{prefix}-{label}".rstrip("-") for prefix in sorted(prefixes(scheme)) for label in labels]
    for length in range(5):
        written = {tuple(scheme.tags(spans, length)) for spans in span_sets(length, labels)}
        foreign = ["X-A", "O-A", "PER", "A"] if length < 3 else []
        for tags in product(["O", *own, *foreign], repeat=length):
            allowed = all(scheme.allows(before, after) for before, after in pairwise((None, *tags, None)))
            assert allowed == (tags in written), tags
            assert allowed == (scheme.violations(tags) == []), tags


def starts_chunk(before: str, before_label: str, prefix: str, label: str) -> bool:
    if prefix == "O":
        return False
    return prefix in "BSU" or before in "OESLU" or label != before_label


def ends_chunk(before: str, before_label: str, prefix: str, label: str) -> bool:
    if before == "O":
        return False
    return before in "ESLU" or prefix in "OBSU" or label != before_label


def chunks(pairs: list[tuple[str, str]]) -> list[Span]:
    found, began = [], 0
    for i, ((before, before_label), (prefix, label)) in enumerate(pairwise([("O", ""), *pairs, ("O", "")])):
        if ends_chunk(before, before_label, prefix, label):
            found.append(Span(began, i, before_label))
        if starts_chunk(before, before_label, prefix, label):
            began = i
    return found


@each_span_scheme
@given(words=st.lists(st.tuples(st.sampled_from("OBIESLU"), st.sampled_from(("A", "B-C"))), max_size=12))
def test_broken_sequences_are_read_as_the_shared_task_scorer_reads_them(
    registry: Registry, name: str, words: list[tuple[str, str]]
) -> None:
    pairs = [("O", "") if prefix == "O" else (prefix, label) for prefix, label in words]
    tags = [f"{prefix}-{label}" if label else prefix for prefix, label in pairs]
    assert registry.schemes[name].spans(tags) == chunks(pairs)


@pytest.mark.parametrize("name", ALL_SCHEMES)
@given(tags=st.lists(st.one_of(st.text(max_size=6), st.sampled_from(("O", "-", "B-", "-PER", "O-PER", "")))))
def test_garbage_never_fails(registry: Registry, name: str, tags: list[str]) -> None:
    scheme = registry.schemes[name]
    spans = scheme.spans(tags)
    assert all(0 <= span.start < span.end <= len(tags) for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert set(scheme.violations(tags)) <= set(range(len(tags)))
    assert all(isinstance(scheme.continuation(tag), str) for tag in tags)


@pytest.mark.parametrize(
    ("name", "continuations"),
    [
        ("flat", {"O": "O", "NN": "NN", "B-PER": "B-PER"}),
        ("iob1", {"O": "O", "B-PER": "I-PER", "I-PER": "I-PER", "B": "I"}),
        ("iob2", {"O": "O", "B-PER": "I-PER", "I-PER": "I-PER", "B-MISC-OTHER": "I-MISC-OTHER"}),
        ("ioe1", {"O": "O", "I-PER": "I-PER", "E-PER": "E-PER"}),
        ("ioe2", {"O": "O", "I-PER": "I-PER", "E-PER": "E-PER"}),
        ("iobes", {"O": "O", "B-PER": "I-PER", "I-PER": "I-PER", "E-PER": "E-PER", "S-PER": "E-PER"}),
        ("bilou", {"O": "O", "B-PER": "I-PER", "I-PER": "I-PER", "L-PER": "L-PER", "U-PER": "L-PER"}),
    ],
)
def test_a_word_goes_on_with_the_documented_tag(registry: Registry, name: str, continuations: dict[str, str]) -> None:
    scheme = registry.schemes[name]
    assert {tag: scheme.continuation(tag) for tag in continuations} == continuations


@each_span_scheme
def test_no_word_goes_on_with_a_tag_that_only_opens_spans(registry: Registry, name: str) -> None:
    scheme = registry.schemes[name]
    assert isinstance(scheme, PrefixScheme)
    opening = {scheme.first, scheme.single, scheme.contact_start} - {scheme.inner, scheme.last}
    for prefix in prefixes(scheme):
        assert scheme.continuation(f"{prefix}-PER")[0] not in opening


@pytest.mark.parametrize(
    ("spans", "length"),
    [
        ([Span(0, 2, "A"), Span(1, 3, "A")], 3),
        ([Span(0, 4, "A")], 3),
        ([Span(-1, 1, "A")], 3),
        ([Span(1, 1, "A")], 3),
    ],
)
@each_span_scheme
def test_spans_that_no_tags_can_hold_are_refused(registry: Registry, name: str, spans: list[Span], length: int) -> None:
    with pytest.raises(PolytagError):
        registry.schemes[name].tags(spans, length)


def test_flat_has_one_tag_a_word_and_no_spans(registry: Registry) -> None:
    flat = registry.schemes["flat"]
    assert not flat.encodes_spans
    assert flat.spans(["B-PER", "NN"]) == []
    assert flat.tags([], 3) == ["O", "O", "O"]
    assert flat.allows("NN", None)
    with pytest.raises(PolytagError, match="cannot encode"):
        flat.tags([Span(0, 1, "A")], 1)


@pytest.mark.parametrize(("source", "target"), [("flat", "iob2"), ("iob2", "flat")])
def test_spans_cannot_be_converted_to_or_from_flat(registry: Registry, source: str, target: str) -> None:
    with pytest.raises(PolytagError, match="only one of the two encodes spans"):
        convert_tags(["B-A"], registry.schemes[source], registry.schemes[target])


class Bmewo(PrefixScheme):
    name = "bmewo"
    first, inner, last, single = "B", "M", "E", "W"


class FirstAndRest(PrefixScheme):
    name = "first-and-rest"
    first = single = "F"
    inner = last = "R"


class RestAndTail(PrefixScheme):
    name = "rest-and-tail"
    first = inner = "R"
    last = single = "T"


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        (Bmewo(), "W-A W-A B-A M-A E-A B-A E-A O"),
        (FirstAndRest(), "F-A F-A F-A R-A R-A F-A R-A O"),
        (RestAndTail(), "T-A T-A R-A R-A T-A R-A T-A O"),
    ],
)
def test_a_scheme_with_prefixes_of_its_own_needs_data_alone(scheme: PrefixScheme, tags: str) -> None:
    spans = [Span(0, 1, "A"), Span(1, 2, "A"), Span(2, 5, "A"), Span(5, 7, "A")]
    assert scheme.tags(spans, 8) == tags.split()
    assert scheme.spans(tags.split()) == spans
