"""The binding against the C header: every function with its number of arguments, every struct, every number."""

import ctypes
import re

from conftest import REPOSITORY

import tracestore
from tracestore import _native, errors

HEADER = re.sub(r"//.*", "", (REPOSITORY / "tracestore-ffi/include/tracestore.h").read_text())

# Messages of the library come on threads of its own, which Python cannot take at its end.
UNBOUND = {"ts_set_log"}


def test_functions():
    declared = dict(re.findall(r"\b(ts_\w+)\(([^()]*)\);", HEADER))
    assert declared.keys() - UNBOUND == _native.FUNCTIONS.keys()
    for name, (_, takes) in _native.FUNCTIONS.items():
        arguments = [] if declared[name] == "void" else declared[name].split(",")
        assert len(arguments) == len(takes), name


def test_structs():
    declared = {name: body for body, name in re.findall(r"typedef struct \{([^}]*)\} ts_(\w+);", HEADER)}
    sizes = {"uint64_t": 8, "uint32_t": 4, "size_t": ctypes.sizeof(ctypes.c_size_t)}
    bound = {re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).lower(): kind for kind in _native.Sized.__subclasses__()}
    assert declared.keys() - bound.keys() == {"progress"}
    for name, kind in bound.items():
        members = re.findall(r"([\w ]+?)\s*(\*?)(\w+);", declared[name])
        assert [member for *_, member in members] == [member for member, _ in kind._fields_], name
        for c_type, pointer, member in members:
            size = ctypes.sizeof(ctypes.c_void_p) if pointer else sizes.get(c_type.strip(), ctypes.sizeof(ctypes.c_void_p))
            assert getattr(kind, member).size == size, f"{name}.{member}"


def test_numbers():
    numbers = {name: int(value) for name, value in re.findall(r"#define TS_(\w+) (\d+)\n", HEADER)}
    names = {
        "encoding": "OTLP_{}",
        "order": "{}_FIRST",
        "scope": "SCOPE_{}",
        "sync": "SYNC_{}",
        "delete": "DELETE_{}",
        "metrics_format": "{}_TEXT",
    }
    for kind, pattern in names.items():
        for word, number in _native.NAMES[kind].items():
            assert numbers[pattern.format(word.upper())] == number
    formats = {"json": "JSON", "ndjson": "NDJSON", "tempo": "TEMPO_JSON", "prometheus": "PROMETHEUS_JSON"}
    assert {word: numbers[name] for word, name in formats.items()} == _native.NAMES["format"]
    verdicts = ["VALID", "PARSE_ERROR", "CHECK_ERROR", "UNSUPPORTED"]
    assert [numbers[name] for name in verdicts] == list(_native.NAMES["verdict"])
    assert [numbers[name] for name in ("NO_QUERY", "SEARCH", "METRICS")] == list(_native.NAMES["kind"])
    assert all(numbers[f"SEVERITY_{name.upper()}"] == number for number, name in _native.NAMES["severity"].items())
    assert numbers["ABI_VERSION"] == _native.ABI_VERSION


def test_codes():
    for code, kind in errors.CLASSES.items():
        name = _native.library.ts_code_name(code).decode()
        words = kind.__name__.removesuffix("Error")
        expected = {"Closed": "INVALID_HANDLE"}.get(words) or re.sub(r"(?<!^)([A-Z])", r"_\1", words).upper()
        assert name == f"TS_{expected}"
    assert _native.library.ts_code_name(max(errors.CLASSES) + 1) not in {
        _native.library.ts_code_name(code) for code in errors.CLASSES
    }


def test_all_is_exported():
    assert set(tracestore.__all__) >= {kind.__name__ for kind in errors.CLASSES.values()}
