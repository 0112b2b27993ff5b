"""A synthetic file, and what tests of downloads ask about it."""

import hashlib

import numpy as np

from dere.download.listing import RemoteFile

BODY = np.random.default_rng(0).bytes(500_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
PUBLISHED = f"sha256:{SHA256}"


def remote(url, **known):
    return RemoteFile("file.bin", url, **known)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def sentence(error):
    text = str(error.value)
    assert "\n" not in text and len(text) < 400
    return text
