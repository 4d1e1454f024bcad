from bench.peers.opa import told


def test_opa_is_told_what_the_example_says() -> None:
    """Good keys, active members with a role, and clusters with owner and grants."""
    data = told()

    assert {"annlaptop", "annborealis", "piahome"} == set(data["keys"])
    assert {"1": "admin", "2": "user"} == data["members"]["1"]
    assert {"owner": "1", "granted": ["2"]} == data["clusters"]["1"]
