"""One store, many threads: the calls let go of Python's lock, and none is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow
import pytest
from conftest import request, span

import tracestore


def test_ingest_and_queries_at_once(store):
    def work(thread):
        for number in range(1, 26):
            assert store.ingest(request(span(thread * 100 + number))).accepted == 1
            found = pyarrow.table(store.query("{ }", limit=1000)).num_rows
            assert number <= found <= 200
            with pytest.raises(tracestore.InvalidQueryError):
                store.query("{")
        return thread

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == list(range(8))
    assert len(list(store.query("{ }", limit=1000))) == 200


def test_closing_while_others_ask(recording):
    store = tracestore.open()
    store.ingest(recording, encoding="file")
    begun = threading.Barrier(5)

    def ask():
        answers = 0
        begun.wait()
        try:
            while True:
                assert len(list(store.query("{ status = error }", limit=1000))) == 22
                answers += 1
        except tracestore.ClosedError:
            return answers

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        begun.wait()
        store.close()
        assert all(future.result() >= 0 for future in asking)


def test_an_interrupt_from_another_thread(recording):
    """Asks until it is interrupted, which happens after the first answers."""
    interrupt, answered = tracestore.Interrupt(), threading.Event()

    def ask(store):
        while True:
            store.query("{ } >> { }", interrupt=interrupt, limit=1000).json()
            answered.set()

    with tracestore.open() as store, ThreadPoolExecutor(1) as pool:
        store.ingest(recording, encoding="file")
        asking = pool.submit(ask, store)
        assert answered.wait(60)
        interrupt.set()
        with pytest.raises(tracestore.Interrupted):
            asking.result()
