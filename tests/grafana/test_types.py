"""The dashboards' JSON against Grafana's own types, 12.4 and 13.1: dashboards, panels, options, field settings.

Each piece of JSON is written out as a literal with the type it must have, so that a key too many, a wrong enum or a
wrong option is an error of the compiler. A spoilt copy of each kind stands beside, and must be one.
"""

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import grafana

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TYPES = Path(__file__).parent / "types"
VERSIONS = ("schema-12", "schema-13")
FOLDERS = {"state-timeline": "statetimeline"}
WITHOUT_FIELD_TYPES = {"stat", "text"}
Board = dict[str, Any]

PRELUDE = """\
import type * as s from '@grafana/schema';
// Types of JSON: a string enum is met by its values as text, and nothing else is loosened.
type J<T> = unknown extends T ? T : T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? J<U>[] : T extends object ? { [K in keyof T]: J<T[K]> } : T;
type Target = { refId: string; datasource: J<s.DataSourceRef>; query: string; rawQuery: true;
  resultFormat: 'table' | 'time_series'; alias?: string };
type Note = Target & { fromAnnotations: true; textEditor: true; textColumn: string; tagsColumn: string;
  timeEndColumn: string };
"""


@pytest.fixture(scope="module")
def packages(give_up: Callable[[str], NoReturn]) -> Path:
    """Compiler and types, as locked; fetched once."""
    if shutil.which("npm") is None:
        give_up("npm is missing: on Debian, apt-get install nodejs npm")
    installed, locked = TYPES / "node_modules/.package-lock.json", TYPES / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=TYPES, capture_output=True, text=True, check=False)
        if done.returncode:
            give_up(f"npm ci did not fetch the types: {done.stderr[-300:]}")
        installed.touch()
    return TYPES / "node_modules"


def literal(name: str, kind: str, value: object) -> str:
    return f"const {name}: {kind} = {json.dumps(value, ensure_ascii=False)};\n"


def typescript(board: Board, schema: str) -> str:
    """The dashboard as declarations, each with its type."""
    outside = {key: value for key, value in board.items() if key not in ("panels", "annotations", "templating")}
    parts = [PRELUDE, literal("board", "J<Omit<s.Dashboard, 'panels' | 'annotations' | 'templating'>>", outside)]
    for number, variable in enumerate(board["templating"]["list"]):
        parts.append(literal(f"variable{number}", "J<s.VariableModel>", variable))
    for number, note in enumerate(board["annotations"]["list"]):
        rest = {key: value for key, value in note.items() if key != "target"}
        parts.append(literal(f"note{number}", "J<Omit<s.AnnotationQuery, 'target'>>", rest))
        parts.append(literal(f"note{number}target", "Note", note["target"]))
    for panel in board["panels"]:
        parts.extend(of_panel(panel, schema))
    return "".join([*parts, "export {};\n"])


def of_panel(panel: dict[str, Any], schema: str) -> Iterator[str]:
    name, kind = f"panel{panel['id']}", FOLDERS.get(panel["type"], panel["type"])
    own = f"{name}own"
    types = f"./node_modules/{schema}/dist/types/raw/composable/{kind}/panelcfg/x/types.gen"
    yield f"import type * as {own} from '{types}';\n"
    outside = {key: value for key, value in panel.items() if key not in ("options", "fieldConfig", "targets")}
    yield literal(name, "J<Omit<s.Panel, 'options' | 'fieldConfig' | 'targets'>>", outside)
    yield literal(f"{name}options", f"J<{own}.Options>", panel["options"])
    if "targets" not in panel:
        return
    yield literal(f"{name}targets", "Target[]", panel["targets"])
    custom = "Record<string, never>" if kind in WITHOUT_FIELD_TYPES else f"J<{own}.FieldConfig>"
    defaults = dict(panel["fieldConfig"]["defaults"])
    if "custom" in defaults:
        yield literal(f"{name}custom", custom, defaults.pop("custom"))
    yield literal(f"{name}field", "J<Omit<s.FieldConfig, 'custom'>>", defaults)
    for at, override in enumerate(panel["fieldConfig"]["overrides"]):
        yield literal(f"{name}matcher{at}", "J<s.MatcherConfig>", override["matcher"])
        for number, each in enumerate(override["properties"]):
            inside = each["id"].removeprefix("custom.")
            owner = "J<s.FieldConfig>" if inside == each["id"] else custom
            yield literal(f"{name}override{at}_{number}", f"Required<{owner}>['{inside}']", each["value"])


def compile_all(sources: dict[str, str], schema: str, tmp_path: Path, packages: Path) -> dict[str, list[str]]:
    """The compiler's words by file."""
    (tmp_path / "node_modules").symlink_to(packages)
    for name, source in sources.items():
        (tmp_path / f"{name}.ts").write_text(source)
    options = {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "module": "esnext",
        "moduleResolution": "bundler",
        "types": [],
        "paths": {"@grafana/schema": [f"./node_modules/{schema}/dist/types/index.d.ts"]},
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))
    command = ["node", str(packages / "typescript/bin/tsc"), "-p", str(tmp_path), "--pretty", "false"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    found: dict[str, list[str]] = {name: [] for name in sources}
    for line in done.stdout.splitlines():
        if match := re.match(r"(.+)\.ts\(\d+,\d+\): (error .*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def panel_of(board: Board, kind: str) -> dict[str, Any]:
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def properties(board: Board) -> list[dict[str, Any]]:
    tables = [panel for panel in board["panels"] if panel["type"] == "table"]
    return [each for table in tables for field in table["fieldConfig"]["overrides"] for each in field["properties"]]


SPOILT: dict[str, Callable[[Board], Any]] = {
    "misspelt-key-of-board": lambda board: board.update(timezon="x"),
    "misspelt-key-of-panel": lambda board: board["panels"][0].update(discription="x"),
    "misspelt-option": lambda board: panel_of(board, "stat")["options"].update(grafMode="none"),
    "wrong-enum-of-option": lambda board: panel_of(board, "stat")["options"].update(colorMode="loud"),
    "wrong-option": lambda board: panel_of(board, "state-timeline")["options"].update(rowHeight="tall"),
    "option-of-another-panel": lambda board: panel_of(board, "timeseries")["options"].update(perPage=16),
    "wrong-enum-of-field": lambda board: panel_of(board, "timeseries")["fieldConfig"]["defaults"]["custom"].update(
        drawStyle="dots"
    ),
    "misspelt-key-of-field": lambda board: panel_of(board, "xychart")["fieldConfig"]["defaults"].update(units="x"),
    "missing-option": lambda board: panel_of(board, "stat")["options"].pop("textMode"),
    "wrong-mapping": lambda board: next(e for e in properties(board) if e["id"] == "mappings")["value"][0].update(
        type="rang"
    ),
    "unknown-override": lambda board: properties(board)[0].update(id="custom.colour"),
    "misspelt-unit-override": lambda board: properties(board)[0].update(id="unti"),
    "wrong-variable": lambda board: board["templating"]["list"][0].update(refresh=9),
    "misspelt-note": lambda board: board["annotations"]["list"][0]["target"].update(timeEndColum="end_ms"),
    "misspelt-target": lambda board: board["panels"][0]["targets"][0].update(resultFormat="tabel"),
}


@pytest.fixture(params=VERSIONS, scope="module")
def errors(
    request: pytest.FixtureRequest, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """One run of the compiler over the committed dashboards and the spoilt copies."""
    folder = Path(grafana.__file__).parent / "dashboards"
    boards = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for name, spoil in SPOILT.items():
        boards[name] = copy.deepcopy(boards["hadir-armada"])
        spoil(boards[name])
    sources = {name: typescript(board, request.param) for name, board in boards.items()}
    return compile_all(sources, request.param, tmp_path_factory.mktemp(request.param), packages)


def test_the_committed_dashboards_have_grafanas_types(errors: dict[str, list[str]]) -> None:
    assert {name: said for name, said in errors.items() if said and name not in SPOILT} == {}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_dashboard_is_an_error_of_the_compiler(errors: dict[str, list[str]], name: str) -> None:
    assert len(errors[name]) == 1, errors[name]
