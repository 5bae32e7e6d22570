"""What verification found, as a page and as a document."""

from trimtab.apps.verifying import Verified
from trimtab.apps.views.documents import VerifiedDocument, VerifyDocument
from trimtab.apps.views.figures import counted, typed
from trimtab.apps.views.page import Block, Heading, Sentence, item
from trimtab.apps.views.plan import discrepancy_document
from trimtab.apps.views.run import discrepancy_blocks
from trimtab.apps.views.status import order_document, order_sentence


def verify_page(verified: Verified, folder: str) -> list[Block]:
    """The chain, each account, and what differs."""
    differing = list(dict.fromkeys(found.account for found in verified.discrepancies))
    words = f"{counted(len(differing), 'account')} differ{'s' if len(differing) == 1 else ''}"
    blocks: list[Block] = [
        Sentence("All agrees." if not differing else f"{words}.", "bad" if differing else "good"),
        Heading("Journal"),
        item(f"{counted(verified.entries, 'entry', 'entries')}, chain whole."),
        item(f"Head: {verified.head} (note it elsewhere to prove the journal later)."),
        Heading("Accounts"),
    ]
    for name, is_asked in verified.asked.items():
        if not is_asked:
            blocks.append(
                item(f"{name}: known from files only, so there is nobody to ask.", "quiet")
            )
        elif name in differing:
            blocks.append(item(f"{name}: DIFFERS.", "bad"))
        else:
            blocks.append(item(f"{name}: agrees with its broker.", "good"))
    if verified.adopted:
        blocks.append(Heading("Adopted: the broker's word replaces the journal's"))
        blocks += [item(found.sentence) for found in verified.adopted]
    if verified.open_orders:
        blocks.append(Heading("Orders without a final answer"))
        blocks += [item(f"{order_sentence(known)}.", "warn") for known in verified.open_orders]
    blocks += discrepancy_blocks(verified.discrepancies)
    if differing:
        command = typed(f'verify --adopt {differing[0]} --because "..."', folder)
        blocks.append(Sentence(f"If the broker is right: {command}.", "strong"))
    return blocks


def verify_document(verified: Verified, household: str) -> VerifyDocument:
    """What `verify --json` prints."""
    accounts = []
    for name, is_asked in verified.asked.items():
        found = tuple(
            discrepancy_document(one) for one in verified.discrepancies if one.account == name
        )
        accounts.append(
            VerifiedDocument(
                account=name, agrees=not found if is_asked else None, discrepancies=found
            )
        )
    return VerifyDocument(
        household=household,
        at=verified.at,
        entries=verified.entries,
        head=verified.head,
        accounts=tuple(accounts),
        adopted=tuple(discrepancy_document(found) for found in verified.adopted),
        unsettled_orders=tuple(order_document(known) for known in verified.open_orders),
    )
