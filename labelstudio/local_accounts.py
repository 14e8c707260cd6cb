"""The accounts of a Label Studio on this machine: an owner with a token, and two annotators."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from adaptml.errors import LabelStudioError
from adaptml.files import PRIVATE, write_text

ANNOTATORS = 2
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Account:
    """The e-mail address and password of one account."""

    email: str
    password: str


def keep_accounts(folder: Path) -> tuple[Account, list[Account], str]:
    """The owner, the annotators and the owner's token, made on the first call and kept in the folder.

    `accounts.json` and `token` can be read by their owner alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, token_path = folder / "accounts.json", folder / "token"
    if not path.is_file():
        emails = ["admin@example.com", *(f"annotator{i + 1}@example.com" for i in range(ANNOTATORS))]
        made = [asdict(Account(email, secrets.token_urlsafe(16))) for email in emails]
        write_text(json.dumps(made, indent=1) + "\n", path, mode=PRIVATE)
    if not token_path.is_file():
        write_text(secrets.token_hex(20) + "\n", token_path, mode=PRIVATE)
    owner, *annotators = (Account(**entry) for entry in json.loads(path.read_text()))
    return owner, annotators, token_path.read_text().strip()


def make_annotators(url: str, token: str, accounts: list[Account]) -> None:
    """Sign up, by the owner's invitation, those of the annotators that do not exist."""
    for account in accounts:
        with httpx.Client(base_url=url, timeout=TIMEOUT_S) as browser:
            if log_in(browser, account):
                continue
            headers = {"Authorization": f"Token {token}"}
            link = httpx.get(f"{url}/api/invite", headers=headers, timeout=TIMEOUT_S).json()["invite_url"]
            browser.get(link)
            form = {"email": account.email, "password": account.password, "allow_newsletters": "false"}
            answer = browser.post(link, data=form | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
        with httpx.Client(base_url=url, timeout=TIMEOUT_S) as browser:
            if not log_in(browser, account):
                raise LabelStudioError(
                    f"the account {account.email} cannot be made (status {answer.status_code}); "
                    "delete the server's data and start it again"
                )


def log_in(browser: httpx.Client, account: Account) -> bool:
    """Log in by the form, as a person does; returns whether it worked."""
    browser.get("/user/login/")
    form = {"email": account.email, "password": account.password, "persist_session": "on"}
    answer = browser.post("/user/login/", data=form | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
    return answer.status_code == httpx.codes.FOUND
