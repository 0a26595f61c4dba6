"""Content on disk under its hash."""

from __future__ import annotations

from hashlib import sha256

import pytest

from engine import errors
from engine.store.attachments import FileStore


def test_bytes_come_back_under_their_hash(tmp_path):
    store = FileStore(tmp_path)

    digest = store.put(b"photo")

    assert digest == sha256(b"photo").hexdigest()
    assert store.get(digest) == b"photo"


def test_equal_bytes_are_kept_once(tmp_path):
    store = FileStore(tmp_path)

    assert store.put(b"photo") == store.put(b"photo")

    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_file_that_is_gone_is_not_found(tmp_path):
    with pytest.raises(errors.NotFound):
        FileStore(tmp_path).get("0" * 64)
