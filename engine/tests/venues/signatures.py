"""Logon signatures of venues, made from their documentation with the standard library alone.

Reads one request a line, JSON, from standard input and writes one signature a line:
  {"venue": "coinbase", "secret": ..., "fields": {"52": ..., ...}}
A second implementation beside the gateway's; it must never be made from it.
"""

import base64
import hashlib
import hmac
import json
import sys

SOH = "\x01"


def coinbase(secret, fields, nonce):
    payload = SOH.join(fields[tag] for tag in ("52", "35", "34", "49", "56", "554"))
    key = base64.b64decode(secret)
    return base64.b64encode(hmac.new(key, payload.encode(), hashlib.sha256).digest())


def kraken(secret, fields, nonce):
    message = "".join(f"{tag}={fields[tag]}{SOH}" for tag in ("35", "34", "49", "56", "553"))
    digest = hashlib.sha256((message + nonce).encode()).digest()
    key = base64.b64decode(secret)
    return base64.b64encode(hmac.new(key, digest, hashlib.sha512).digest())


def deribit(secret, fields, nonce):
    return base64.b64encode(hashlib.sha256((nonce + secret).encode()).digest())


VENUES = {"coinbase": coinbase, "kraken": kraken, "deribit": deribit}

for line in sys.stdin:
    request = json.loads(line)
    signature = VENUES[request["venue"]](
        request["secret"], request.get("fields", {}), request.get("nonce", "")
    )
    print(signature.decode(), flush=True)
