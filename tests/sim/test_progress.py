"""Progress reports: throttled, the last one always, nothing when nobody listens."""

from sim import progress


def test_the_first_and_the_last_report_come_through():
    heard = []
    with progress.listening(lambda done, total: heard.append((done, total))):
        for done in range(1, 1001):
            progress.report(done, 1000)
    assert heard[0] == (1, 1000) and heard[-1] == (1000, 1000)
    assert len(heard) < 1000


def test_nobody_listening_is_fine_and_listeners_nest():
    outer, inner = [], []
    progress.report(1, 2)
    with progress.listening(lambda *report: outer.append(report)):
        with progress.listening(lambda *report: inner.append(report)):
            progress.report(1, 1)
        progress.report(2, 2)
    progress.report(3, 3)
    assert (outer, inner) == ([(2, 2)], [(1, 1)])


def test_a_file_holds_the_last_report(tmp_path):
    path = tmp_path / "progress"
    with progress.to_file(path):
        progress.report(1, 3)
        progress.report(3, 3)
    assert path.read_text() == "3 3"
