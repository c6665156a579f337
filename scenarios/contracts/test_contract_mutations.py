"""Nothing that a contract asks can be left out unseen: an example would have another verdict."""

from __future__ import annotations

import pytest
from contract_examples import every_contract
from mutations import unseen


@pytest.mark.parametrize("contract", every_contract())
def test_everything_that_a_contract_asks_is_seen_by_an_example(contract: str) -> None:
    left = unseen(contract)

    assert left == [], f"{contract}: the examples do not notice when one of these is left out:\n" + "\n".join(left)
