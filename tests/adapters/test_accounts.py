"""Whose accounts are which, as a file beside transactions tells."""

import pytest

from trimtab.adapters.accounts import KINDS, read_accounts
from trimtab.adapters.imports import import_file
from trimtab.domain.errors import FileFaults
from trimtab.domain.values import AccountKind, OwnerRole


def written(tmp_path, text):
    path = tmp_path / "accounts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_line_describes_an_account(tmp_path):
    text = "Account Number,Owner,Role,Account Type\nX1,ann,,\nX2,bob,spouse,Traditional IRA\n"
    accounts = read_accounts(written(tmp_path, text))
    told = [one.account for one in accounts.values()]
    assert [(one.owner, one.role, one.kind) for one in told] == [
        ("ann", OwnerRole.SELF, AccountKind.TAXABLE),
        ("bob", OwnerRole.SPOUSE, AccountKind.TRADITIONAL_IRA),
    ]
    assert [(one.line, sorted(one.said)) for one in accounts.values()] == [
        (2, ["account", "owner"]),
        (3, ["account", "kind", "owner", "role"]),
    ]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ira", AccountKind.TRADITIONAL_IRA),
        ("Traditional", AccountKind.TRADITIONAL_IRA),
        ("Roth IRA", AccountKind.ROTH_IRA),
        ("roth", AccountKind.ROTH_IRA),
        ("401(k)", AccountKind.PLAN_401K),
        ("Brokerage", AccountKind.TAXABLE),
        ("hsa", AccountKind.HSA),
        ("crypto", AccountKind.CRYPTO),
    ],
)
def test_the_kind_of_an_account_may_be_said_as_people_say_it(tmp_path, word, kind):
    accounts = read_accounts(written(tmp_path, f"account,owner,kind\nX1,ann,{word}\n"))
    assert accounts["X1"].account.kind is kind


@pytest.mark.parametrize("word", KINDS)
def test_a_csv_of_one_s_own_knows_the_same_kinds(tmp_path, word):
    header = "date,account,action,symbol,quantity,price,account_kind"
    text = f"{header}\n2024-01-16,X1,buy,VTI,10,240,{word}\n"
    (account,) = import_file(written(tmp_path, text)).tax_accounts
    assert account.kind is KINDS[word]


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
