# One library for HTTP as a process of its own: reads calls, a JSON document a line, and writes what its user reads of each answer.
import asyncio
import atexit
import base64
import json
import sys


def pieces(body):
    for at in range(0, len(body), 10_000):
        yield body[at : at + 10_000]


def with_requests():
    import requests

    session = requests.Session()

    def call(method, url, headers, body, chunks):
        answer = session.request(method, url, headers=headers, data=chunks or body)
        return answer.status_code, answer.headers, answer.content

    return call


def with_httpx():
    import httpx

    client = httpx.Client()

    def call(method, url, headers, body, chunks):
        answer = client.request(method, url, headers=headers, content=chunks or body)
        return answer.status_code, answer.headers, answer.content

    return call


def with_urllib3():
    import urllib3

    pool = urllib3.PoolManager()
    packed = urllib3.make_headers(accept_encoding=True)

    def call(method, url, headers, body, chunks):
        answer = pool.urlopen(method, url, headers=packed | headers, body=chunks or body, chunked=chunks is not None)
        return answer.status, answer.headers, answer.data

    return call


def with_aiohttp():
    import aiohttp

    loop = asyncio.new_event_loop()

    async def open_session():
        return aiohttp.ClientSession()

    session = loop.run_until_complete(open_session())
    atexit.register(lambda: loop.run_until_complete(session.close()))

    async def slowly(chunks):
        for piece in chunks:
            yield piece

    async def send(method, url, headers, body, chunks):
        async with session.request(method, url, headers=headers, data=slowly(chunks) if chunks else body) as answer:
            return answer.status, answer.headers, await answer.read()

    return lambda *of: loop.run_until_complete(send(*of))


call = {"requests": with_requests, "httpx": with_httpx, "urllib3": with_urllib3, "aiohttp": with_aiohttp}[sys.argv[1]]()
for line in sys.stdin:
    asked = json.loads(line)
    body = base64.b64decode(asked["body"]) if "body" in asked else None
    chunks = pieces(body) if asked.get("inChunks") else None
    try:
        status, headers, read = call(asked["method"], asked["url"], asked["headers"], body, chunks)
        lower = {name.lower(): value for name, value in headers.items()}
        said = {"status": status, "headers": lower, "body": base64.b64encode(read).decode()}
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)
