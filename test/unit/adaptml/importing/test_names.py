import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.database.names import MAX_BYTES
from adaptml.errors import DatabaseError
from adaptml.importing.names import check_table_name, column_names


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("txt", "txt"),
        ("my text", "my_text"),
        ("Größe", "Größe"),
        ("user.name", "user_name"),
        ("a[0]", "a_0"),
        ("_score", "score"),
        ("_id", "id_2"),
        ("ID", "ID_2"),
        ("%s", "s"),
        ("%", "unnamed"),
        (' he said "no" ', "he_said_no"),
        ("table_name", "table_name_2"),
        ("ctid", "ctid_2"),
        ("a\nb", "a_b"),
        ("x\ud800", "x"),
    ],
)
def test_a_column_gets_a_name_that_every_database_takes(given_name: str, name: str) -> None:
    assert column_names([given_name]) == {given_name: name}


def test_names_that_some_database_takes_for_the_same_get_numbers() -> None:
    assert list(column_names(["Txt", "txt", "TXT", "a.b", "a_b"]).values()) == [
        "Txt",
        "txt_2",
        "TXT_3",
        "a_b",
        "a_b_2",
    ]


@given(st.lists(st.text(max_size=80), unique=True, max_size=8))
def test_names_are_usable_and_different(names: list[str]) -> None:
    made = list(column_names(names).values())
    assert len({name.casefold() for name in ["id", *made]}) == len(names) + 1
    for name in made:
        assert 0 < len(name.encode()) <= MAX_BYTES
        assert not set(name) & set(".[]%\"'`:?/\\\0\n")
        assert not name.startswith("_")


@pytest.mark.parametrize("name", ["posts", "Posts_2020", "größe"])
def test_tables_that_every_database_takes(name: str) -> None:
    check_table_name(name)


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("my posts", "my_posts"),
        ("a.b", "a_b"),
        ("_posts", "posts"),
        ("my-posts", "my_posts"),
        ('odd "name"; --', "odd_name"),
        ("x" * 64, "x" * 63),
        ("%s", "s"),
        ("sqlite_x", "x"),
    ],
)
def test_other_tables_are_refused_with_a_name_that_works(name: str, suggested: str) -> None:
    with pytest.raises(DatabaseError, match=f"name it '{suggested}'"):
        check_table_name(name)
