from pathlib import Path

from adaptml.stack.addresses import addresses
from adaptml.stack.compose import Stack


def test_addresses_are_what_a_browser_takes_and_say_how_to_log_in(folder: Path) -> None:
    stack = Stack(folder, {"API_BIND": "0.0.0.0", "DP_MLFLOW_PORT": "5010"})
    assert addresses(stack, ["dp-mlflow", "dp-mlflow-server", "modelling-mlflow-deploy", "crate-db"]) == [
        ("data", "http://127.0.0.1:4200/", f"user adaptml, password in {folder}/secrets/database_password"),
        ("data programming runs", "http://127.0.0.1:5010/", "no login"),
        ("predictions", "http://127.0.0.1/docs", f"header X-API-Key, key in {folder}/secrets/api_key"),
    ]


def test_what_only_this_machine_reaches_wants_no_key(folder: Path) -> None:
    found = addresses(Stack(folder, {}), ["modelling-mlflow-deploy"])
    assert [address.login for address in found] == ["no login"]


def test_the_login_of_label_studio_is_the_one_that_was_set(folder: Path) -> None:
    stack = Stack(folder, {"LABEL_STUDIO_USERNAME": "ada@example.org", "SECRETS": "/run/mine"})
    (found,) = addresses(stack, ["label-studio-web"])
    assert found.login == "user ada@example.org, password in /run/mine/label_studio_password"
