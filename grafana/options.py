"""Options and field settings of each panel type, by the models of grafana-foundation-sdk. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from grafana.sdk import barchart, common, dashboard, stat, statetimeline, table, text, timeseries, xychart
from grafana.specs import Kind, Panel

ROWS_A_PAGE: Final = 16
"""More rows than this cannot be read on a wall."""


def of(spec: Panel) -> object:
    """What the panel type wants to be told beside its fields."""
    return _OPTIONS[spec.kind](spec)


def custom(spec: Panel) -> object | None:
    """The panel type's own settings of a field."""
    return _CUSTOM[spec.kind]() if spec.kind in _CUSTOM else None


def colour_mode(spec: Panel) -> dashboard.FieldColorModeId:
    """By threshold where there is a ladder, else by the series."""
    by_threshold = spec.ladder is not None or spec.kind in (Kind.STAT, Kind.TABLE)
    modes = dashboard.FieldColorModeId
    return modes.THRESHOLDS if by_threshold else modes.PALETTE_CLASSIC


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=[],
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)


def _stat(spec: Panel) -> stat.Options:
    fields = "/^Time$/" if spec.unit == "dateTimeFromNow" else ""
    return stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        justify_mode=common.BigValueJustifyMode.AUTO,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME if len(spec.columns) > 1 else common.BigValueTextMode.VALUE,
        reduce_options=common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields=fields),
        orientation=common.VizOrientation.AUTO,
        percent_change_color_mode=common.PercentChangeColorMode.STANDARD,
    )


def _table(spec: Panel) -> table.Options:
    made = table.Options(
        sort_by=[common.TableSortByFieldState(name, desc) for name, desc in spec.worst],
        cell_height=common.TableCellHeight.SM,
    )
    made.footer = None  # the library still writes what Grafana 12.2 took away
    return made


def _trend(spec: Panel) -> timeseries.Options:
    return timeseries.Options(legend=_legend(), tooltip=_tooltip())


def _timeline(spec: Panel) -> statetimeline.Options:
    return statetimeline.Options(
        show_value=common.VisibilityMode.NEVER,
        align_value=common.TimelineValueAlignment.LEFT,
        legend=_legend(),
        tooltip=_tooltip(),
        per_page=ROWS_A_PAGE,
    )


def _bars(spec: Panel) -> barchart.Options:
    return barchart.Options(
        x_field=spec.columns[0].field if spec.columns else None,
        orientation=common.VizOrientation.AUTO,
        show_value=common.VisibilityMode.AUTO,
        stacking=common.StackingMode.NONE,
        legend=_legend(),
        tooltip=_tooltip(),
    )


def _map(spec: Panel) -> xychart.Options:
    """Longitude to the right, latitude up: the city without tiles from the internet."""

    def by_name(field: str) -> xychart.MatcherConfig:
        return xychart.MatcherConfig("byName", field)

    points = xychart.XYSeriesConfig(
        name=xychart.XychartXYSeriesConfigName("Rusun"),
        frame=xychart.XychartXYSeriesConfigFrame(xychart.MatcherConfig("byIndex", 0)),
        x=xychart.XychartXYSeriesConfigX(by_name("Bujur")),
        y=xychart.XychartXYSeriesConfigY(by_name("Lintang")),
        color=xychart.XychartXYSeriesConfigColor(by_name("Luring")),
    )
    return xychart.Options(mapping=xychart.SeriesMapping.MANUAL, legend=_legend(), tooltip=_tooltip(), series=[points])


def _text(spec: Panel) -> text.Options:
    return text.Options(mode=text.TextMode.MARKDOWN, content=spec.content)


_OPTIONS: Final[Mapping[Kind, Callable[[Panel], object]]] = {
    Kind.STAT: _stat,
    Kind.TABLE: _table,
    Kind.TREND: _trend,
    Kind.TIMELINE: _timeline,
    Kind.BARS: _bars,
    Kind.MAP: _map,
    Kind.TEXT: _text,
}


def _trend_fields() -> common.GraphFieldConfig:
    return common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.LINE,
        line_interpolation=common.LineInterpolation.STEP_AFTER,
        line_width=2,
        fill_opacity=8,
        show_points=common.VisibilityMode.AUTO,
        span_nulls=False,
        axis_soft_min=0,
    )


def _map_fields() -> xychart.FieldConfig:
    return xychart.FieldConfig(
        show=xychart.XYShowMode.POINTS,
        point_size=xychart.XychartFieldConfigPointSize(fixed=14),
        point_shape=xychart.PointShape.CIRCLE,
        fill_opacity=80,
    )


_CUSTOM: Final[Mapping[Kind, Callable[[], object]]] = {
    Kind.TABLE: lambda: common.TableFieldOptions(
        align=common.FieldTextAlignment.AUTO, inspect=False, cell_options=common.TableAutoCellOptions()
    ),
    Kind.TREND: _trend_fields,
    Kind.TIMELINE: lambda: statetimeline.FieldConfig(line_width=0, fill_opacity=80, span_nulls=None),
    Kind.BARS: lambda: barchart.FieldConfig(line_width=1, fill_opacity=70),
    Kind.MAP: _map_fields,
}
