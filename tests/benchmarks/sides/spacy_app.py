"""A spaCy pipeline in the FastAPI application that its users write: spacy_app.py MODEL PORT threads|loop."""

from __future__ import annotations

import sys
from typing import Any

import spacy
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
nlp = spacy.load(sys.argv[1])


class Body(BaseModel):
    inputs: str


def answer(body: Body) -> list[dict[str, Any]]:
    return [
        {"entity_group": span.label_, "word": span.text, "start": span.start_char, "end": span.end_char}
        for span in nlp(body.inputs).ents
    ]


async def answer_in_the_loop(body: Body) -> list[dict[str, Any]]:
    return answer(body)


app.post("/")(answer if sys.argv[3] == "threads" else answer_in_the_loop)
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
