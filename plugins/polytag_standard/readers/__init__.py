"""Readers: text, table and JSON formats, Parquet, saved datasets, the hub, and files of annotation tools."""

from __future__ import annotations

from polytag import Reader
from polytag_standard.readers.brat import BratReader
from polytag_standard.readers.column import ColumnReader
from polytag_standard.readers.conll2012 import Conll2012Reader
from polytag_standard.readers.conllu import ConlluReader
from polytag_standard.readers.csv import CsvReader
from polytag_standard.readers.dataset import DatasetReader
from polytag_standard.readers.docbin import DocBinReader
from polytag_standard.readers.doccano import DoccanoReader
from polytag_standard.readers.hub import HubReader
from polytag_standard.readers.jsonl import JsonLinesReader
from polytag_standard.readers.labelstudio import LabelStudioReader
from polytag_standard.readers.parquet import ParquetReader
from polytag_standard.readers.spacy_json import SpacyJsonReader


def readers() -> list[Reader]:
    """One reader of each kind."""
    return [
        ColumnReader(),
        ConlluReader(),
        Conll2012Reader(),
        CsvReader(),
        JsonLinesReader(),
        ParquetReader(),
        DatasetReader(),
        HubReader(),
        BratReader(),
        DoccanoReader(),
        LabelStudioReader(),
        SpacyJsonReader(),
        DocBinReader(),
    ]
