"""Uses OwnLayer's SDK as an application does; run by a Python of its own (see test_ownlayer_sdk.py).

The argument is JSON: ``{"fields"}`` posts an inference, ``{"chat"}`` calls a model through the wrapped OpenAI client,
``plain``, ``stream``, ``async`` or ``async stream``. What the application gets of the model is the last line printed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


def post(fields: dict[str, Any]) -> str:
    from ownlayer.ownlayer_api import Inference, post_inference

    post_inference(Inference(**fields))
    return ""


def chat(*, streamed: bool) -> str:
    from ownlayer.openai import openai

    client = openai.OpenAI(max_retries=0)
    if not streamed:
        return client.chat.completions.create(**ASKED).choices[0].message.content
    chunks = client.chat.completions.create(**ASKED, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


async def chat_async(*, streamed: bool) -> str:
    from ownlayer.openai import openai

    async with openai.AsyncOpenAI(max_retries=0) as client:
        if not streamed:
            return (await client.chat.completions.create(**ASKED)).choices[0].message.content
        chunks = await client.chat.completions.create(**ASKED, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


def run(asked: dict[str, Any]) -> str:
    if "fields" in asked:
        return post(asked["fields"])
    streamed = "stream" in asked["chat"]
    return asyncio.run(chat_async(streamed=streamed)) if "async" in asked["chat"] else chat(streamed=streamed)


sys.stdout.write(run(json.loads(sys.argv[1])) + "\n")
