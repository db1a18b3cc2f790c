# Runs one HTTP library. Reads requests from stdin, one JSON document per line, and writes each response as its user sees it.
import asyncio
import atexit
import base64
import json
import sys


def split_into_chunks(body):
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


def with_requests():
    import requests

    session = requests.Session()

    def send(method, url, headers, body, chunks):
        response = session.request(method, url, headers=headers, data=chunks or body)
        return response.status_code, response.headers, response.content

    return send


def with_httpx():
    import httpx

    client = httpx.Client()

    def send(method, url, headers, body, chunks):
        response = client.request(method, url, headers=headers, content=chunks or body)
        return response.status_code, response.headers, response.content

    return send


def with_urllib3():
    import urllib3

    pool = urllib3.PoolManager()
    encodings = urllib3.make_headers(accept_encoding=True)

    def send(method, url, headers, body, chunks):
        response = pool.urlopen(method, url, headers=encodings | headers, body=chunks or body, chunked=chunks is not None)
        return response.status, response.headers, response.data

    return send


def with_aiohttp():
    import aiohttp

    loop = asyncio.new_event_loop()

    async def open_session():
        return aiohttp.ClientSession()

    session = loop.run_until_complete(open_session())
    atexit.register(lambda: loop.run_until_complete(session.close()))

    async def iterate(chunks):
        for chunk in chunks:
            yield chunk

    async def send(method, url, headers, body, chunks):
        async with session.request(method, url, headers=headers, data=iterate(chunks) if chunks else body) as response:
            return response.status, response.headers, await response.read()

    return lambda *args: loop.run_until_complete(send(*args))


send = {"requests": with_requests, "httpx": with_httpx, "urllib3": with_urllib3, "aiohttp": with_aiohttp}[sys.argv[1]]()
for line in sys.stdin:
    request = json.loads(line)
    body = base64.b64decode(request["body"]) if "body" in request else None
    chunks = split_into_chunks(body) if request.get("inChunks") else None
    try:
        status, headers, content = send(request["method"], request["url"], request["headers"], body, chunks)
        lower = {name.lower(): value for name, value in headers.items()}
        result = {"status": status, "headers": lower, "body": base64.b64encode(content).decode()}
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)
