"""From the plain description of a dashboard to Grafana's model of it: grid, thresholds with words, links. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from grafana import options
from grafana.sdk import InfluxQuery, common, dashboard
from grafana.specs import Ask, Board, Column, Kind, Ladder, Note, Panel, Variable

TAG: Final = "hadir"
WIDTH: Final = 24
_ZONE: Final = "Asia/Jakarta"


def board(spec: Board) -> dashboard.Dashboard:
    """The dashboard as Grafana 12 and 13 load it."""
    return dashboard.Dashboard(
        uid=spec.uid,
        title=spec.title,
        description=spec.question,
        tags=[TAG],
        timezone=_ZONE,
        week_start="monday",
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val=spec.begin, to=spec.end),
        refresh=spec.refresh,
        panels=list(_panels(spec)),
        templating=dashboard.DashboardDashboardTemplating([_variable(each) for each in spec.variables]),
        annotations=dashboard.AnnotationContainer([_note(each) for each in spec.notes]),
        links=[_to_the_others()],
    )


def _panels(spec: Board) -> Iterator[dashboard.Panel]:
    number, top = 1, 0
    for row in spec.rows:
        left = 0
        for each in row:
            yield panel(each, number, dashboard.GridPos(h=each.height, w=each.width, x=left, y=top))
            number, left = number + 1, left + each.width
        if left > WIDTH:
            raise ValueError(f"{spec.uid}: a row is {left} wide, the grid {WIDTH}")
        top += max(each.height for each in row)


def panel(spec: Panel, number: int, place: dashboard.GridPos) -> dashboard.Panel:
    """One panel at its place."""
    made = dashboard.Panel(
        type_val=spec.kind.value,
        id_val=number,
        title=spec.title,
        description=_description(spec),
        grid_pos=place,
        options=options.of(spec),
    )
    if spec.asks:
        made.datasource = _source(spec.asks[0])
        made.targets = [_target(ask, "ABCDEF"[at]) for at, ask in enumerate(spec.asks)]
        made.field_config = dashboard.FieldConfigSource(
            _defaults(spec), [_override(each, spec.kind) for each in spec.columns if not each.hidden]
        )
        made.interval = "1m"
        made.time_from = spec.span or None
        made.transformations = _transformations(spec) or None
    return made


def _source(ask: Ask) -> common.DataSourceRef:
    return common.DataSourceRef("influxdb", ask.query.bucket.value)


def _target(ask: Ask, ref: str) -> InfluxQuery:
    alias = (("alias", ask.alias),) if ask.alias else ()
    form = "table" if ask.form == "table" else "time_series"
    return InfluxQuery(ref, ask.query.text, ask.query.bucket.value, form, alias)


def _description(spec: Panel) -> str:
    ladders = [spec.ladder, *(column.ladder for column in spec.columns)]
    legends = dict.fromkeys(ladder.legend() for ladder in ladders if ladder)
    parts = [spec.tells, *(f"Keterangan: {legend}." for legend in legends)]
    return " ".join([*parts, f"Bila kosong: {spec.empty}"] if spec.empty else parts)


def _defaults(spec: Panel) -> dashboard.FieldConfig:
    config = dashboard.FieldConfig(unit=spec.unit, decimals=spec.decimals, no_value=spec.empty)
    config.thresholds = _thresholds(spec.ladder)
    config.mappings = _mappings(spec.ladder) if spec.kind is Kind.TIMELINE and spec.ladder else []
    config.color = dashboard.FieldColor(mode=options.colour_mode(spec))
    config.custom = options.custom(spec)
    if spec.link:
        config.links = [_link(spec.link)]
    return config


def _thresholds(ladder: Ladder | None) -> dashboard.ThresholdsConfig:
    steps = ladder.steps if ladder else ()
    made = [dashboard.Threshold(step.begin, step.colour) for step in steps] or [dashboard.Threshold(None, "text")]
    return dashboard.ThresholdsConfig(dashboard.ThresholdsMode.ABSOLUTE, made)


def _mappings(ladder: Ladder) -> list[dashboard.ValueMapping]:
    """Every step of the ladder as a range with its word; the ranges meet just below the next step."""
    ends = [step.begin for step in ladder.steps[1:]]
    made: list[dashboard.ValueMapping] = []
    for at, step in enumerate(ladder.steps):
        end = ends[at] if at < len(ends) else None
        below = None if end is None else end - 1e-6
        result = dashboard.ValueMappingResult(text=step.word, color=step.colour, index=at)
        made.append(dashboard.RangeMap(dashboard.DashboardRangeMapOptions(step.begin, below, result)))
    silent = dashboard.ValueMappingResult(text="Tanpa data", color="#808080", index=len(made))
    special = dashboard.DashboardSpecialValueMapOptions(dashboard.SpecialValueMatch.NULL_AND_NAN, silent)
    return [*made, dashboard.SpecialValueMap(special)]


def _override(column: Column, kind: Kind) -> dashboard.DashboardFieldConfigSourceOverrides:
    made = [dashboard.DynamicConfigValue(name, content) for name, content in _properties(column, kind)]
    matcher = dashboard.MatcherConfig("byName", column.field)
    return dashboard.DashboardFieldConfigSourceOverrides(matcher=matcher, properties=made)


def _properties(column: Column, kind: Kind) -> Iterator[tuple[str, object]]:
    if column.title:
        yield "displayName", column.title
    if column.unit:
        yield "unit", column.unit
    if column.decimals is not None:
        yield "decimals", column.decimals
    if column.ladder:
        yield "thresholds", _thresholds(column.ladder)
        yield "color", {"mode": "thresholds"}
    if column.ladder and column.spoken:
        yield "mappings", _mappings(column.ladder)
    if column.ladder and kind is Kind.TABLE:
        yield "custom.cellOptions", {"type": "color-text"}
    if column.link:
        yield "links", [_link(column.link)]
    if column.bars:
        yield "custom.drawStyle", "bars"
    if column.right:
        yield "custom.axisPlacement", "right"


def _link(url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title="Buka rincian", type_val=dashboard.DashboardLinkType.LINK, url=url)


def _transformations(spec: Panel) -> list[dashboard.DataTransformerConfig]:
    made = []
    hidden = {column.field: True for column in spec.columns if column.hidden}
    if spec.matrix:
        row, column, cell = spec.matrix
        matrix = {"rowField": row, "columnField": column, "valueField": cell, "emptyValue": "null"}
        made.append(dashboard.DataTransformerConfig("groupingToMatrix", options=matrix))
    if hidden:
        organized = {"excludeByName": hidden, "indexByName": {}, "renameByName": {}}
        made.append(dashboard.DataTransformerConfig("organize", options=organized))
    return made


def _to_the_others() -> dashboard.DashboardLink:
    """By tag, so that in each organisation exactly the dashboards that are there appear."""
    return dashboard.DashboardLink(
        title="Dasbor lain",
        type_val=dashboard.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tooltip="Membawa pilihan rusun, mesin, dan rentang waktu",
        tags=[TAG],
        include_vars=True,
        keep_time=True,
    )


def _variable(spec: Variable) -> dashboard.VariableModel:
    made = dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=spec.name,
        label=spec.label,
        query=spec.query.text,
        datasource=common.DataSourceRef("influxdb", spec.query.bucket.value),
        multi=spec.several,
        include_all=spec.several,
        allow_custom_value=False,
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
    )
    made.auto = made.auto_min = made.auto_count = None  # the library writes them for every type of variable
    if spec.several:
        made.all_value = ".*"
        made.current = dashboard.VariableOption(text=["All"], value=["$__all"])
    return made


def _note(spec: Note) -> dashboard.AnnotationQuery:
    columns = (
        ("fromAnnotations", True),
        ("textEditor", True),
        ("textColumn", "text"),
        ("tagsColumn", "estate,kind"),
        ("timeEndColumn", "end_ms"),
    )
    bucket = spec.query.bucket.value
    return dashboard.AnnotationQuery(
        name=spec.name,
        datasource=common.DataSourceRef("influxdb", bucket),
        icon_color=spec.colour,
        target=InfluxQuery("Anno", spec.query.text, bucket, "table", columns),
    )
