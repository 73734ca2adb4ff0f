"""A stranger who verifies, and what is published for strangers."""

import pytest

from tests.verification.trust_world import NOW, PUBLIC_URL, Published
from verification.verifier import Verifier


@pytest.fixture
def published() -> Published:
    """What the issuers publish; a test may change it."""
    return Published()


@pytest.fixture
def verifier(published: Published) -> Verifier:
    """A stranger with nothing but what is published."""
    return Verifier(published, lambda: NOW, PUBLIC_URL)
