"""transformers.pipeline in the FastAPI application that its users write: pipeline_app.py MODEL PORT threads|loop."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline

app = FastAPI()
tag = pipeline("token-classification", sys.argv[1], aggregation_strategy="simple", device="cpu")


class Body(BaseModel):
    inputs: str


def answer(body: Body) -> list[dict[str, Any]]:
    return [{**entity, "score": float(entity["score"])} for entity in tag(body.inputs)]


async def answer_in_the_loop(body: Body) -> list[dict[str, Any]]:
    return answer(body)


app.post("/")(answer if sys.argv[3] == "threads" else answer_in_the_loop)
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
