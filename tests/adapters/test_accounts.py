"""Whose accounts are which, as a file beside transactions tells."""

import pytest

from trimtab.adapters.accounts import read_accounts
from trimtab.domain.errors import FileFaults
from trimtab.domain.values import AccountKind, OwnerRole


def written(tmp_path, text):
    path = tmp_path / "accounts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_line_describes_an_account(tmp_path):
    text = "Account Number,Owner,Role,Account Type\nX1,ann,,\nX2,bob,spouse,Traditional IRA\n"
    accounts = read_accounts(written(tmp_path, text))
    assert [(one.owner, one.role, one.kind) for one in accounts.values()] == [
        ("ann", OwnerRole.SELF, AccountKind.TAXABLE),
        ("bob", OwnerRole.SPOUSE, AccountKind.TRADITIONAL_IRA),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("account,kind\nX1,taxable\n", "no column says owner"),
        ("account,owner\n,ann\n", "line 2, account: is empty"),
        ("account,owner,role\nX1,ann,boss\n", "line 2, role: "),
        ("account,owner,kind\nX1,ann,pension\n", "line 2, kind: "),
        ("account,owner\nX1,ann\nX1,bob\n", "line 3: "),
        ("account,owner,role\nX1,ann,self\nX2,ann,spouse\n", "line 3, role: ann is self above"),
    ],
)
def test_a_fault_is_answered_with_its_line(tmp_path, text, sentence):
    with pytest.raises(FileFaults) as caught:
        read_accounts(written(tmp_path, text))
    assert sentence in str(caught.value)
