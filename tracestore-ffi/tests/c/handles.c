/* Every function with handles that were given up, that are of another kind, and that nobody gave. */
#include "check.h"

#define REFUSED TS_INVALID_HANDLE

static void refused_as_store(ts_store *store)
{
    ts_store_status status = {.size = sizeof status};
    struct ArrowArrayStream stream;
    ts_text *text = (ts_text *)&status;

    EXPECT(REFUSED, ts_store_flush(store, &error));
    EXPECT(REFUSED, ts_store_get_status(store, &status, &error));
    EXPECT(REFUSED, ts_store_trouble(store, &text, &error));
    EXPECT(REFUSED, ts_ingest(store, (const uint8_t *)"", 0, TS_OTLP_PROTOBUF, NULL, &error));
    EXPECT(REFUSED, ts_query_arrow(store, "{ }", 3, NULL, &stream, &error));
    EXPECT(REFUSED, ts_query_json(store, "{ }", 3, NULL, TS_JSON, &text, &error));
    EXPECT(REFUSED, ts_explain(store, "{ }", 3, NULL, 0, &text, &error));
    EXPECT(REFUSED, ts_tag_names(store, NULL, &text, &error));
    EXPECT(REFUSED, ts_tag_values(store, "name", 4, NULL, &text, &error));
    EXPECT(REFUSED, ts_span_metrics(store, NULL, 0, 0, TS_PROMETHEUS_TEXT, &text, &error));
    EXPECT(REFUSED, ts_trace(store, "01", 2, TS_OTLP_JSON, &text, &error));
    EXPECT(REFUSED, ts_trace_arrow(store, "01", 2, NULL, &stream, &error));
    EXPECT(REFUSED, ts_store_compact(store, 0, NULL, &error));
    EXPECT(REFUSED, ts_store_delete(store, TS_DELETE_SPANS, "{ }", 3, 0, NULL, &error));
    EXPECT(REFUSED, ts_store_close(store, &error));
    CHECK(text == NULL);
}

static void refused_as_report(ts_report *report)
{
    ts_diagnostic diagnostic = {.size = sizeof diagnostic};

    CHECK(ts_report_verdict(report) == TS_PARSE_ERROR && ts_report_kind(report) == TS_NO_QUERY);
    CHECK(ts_report_count(report) == 0 && ts_report_free(report) == REFUSED);
    EXPECT(REFUSED, ts_report_diagnostic(report, 0, &diagnostic, &error));
}

static void refused_as_interrupt(ts_interrupt *interrupt, ts_store *store)
{
    const ts_query_options options = {.size = sizeof options, .interrupt = interrupt};
    const ts_tag_options tags = {.size = sizeof tags, .interrupt = interrupt};
    struct ArrowArrayStream stream;
    ts_text *text;

    CHECK(ts_interrupt_raise(interrupt) == REFUSED && ts_interrupt_clear(interrupt) == REFUSED);
    CHECK(ts_interrupt_free(interrupt) == REFUSED);
    EXPECT(REFUSED, ts_query_json(store, "{ }", 3, &options, TS_JSON, &text, &error));
    EXPECT(REFUSED, ts_query_arrow(store, "{ }", 3, &options, &stream, &error));
    EXPECT(REFUSED, ts_explain(store, "{ }", 3, &options, 0, &text, &error));
    EXPECT(REFUSED, ts_trace_arrow(store, "01", 2, &options, &stream, &error));
    EXPECT(REFUSED, ts_tag_names(store, &tags, &text, &error));
    EXPECT(REFUSED, ts_tag_values(store, "name", 4, &tags, &text, &error));
}

static void refused_as_text(ts_text *text)
{
    CHECK(ts_text_data(text) == NULL && ts_text_length(text) == 0 && ts_text_free(text) == REFUSED);
}

static void refused_as_error(ts_error *error)
{
    size_t offset, length;

    CHECK(ts_error_code(error) == REFUSED && ts_error_message(error) == NULL);
    CHECK(ts_error_span(error, &offset, &length) == REFUSED && ts_error_free(error) == REFUSED);
}

void test_handles(const struct place *place)
{
    ts_store *store = small_store(), *closed = small_store();
    ts_interrupt *interrupt = ts_interrupt_new();
    ts_report *report;
    ts_text *text;
    ts_error *fault;
    int nobody;

    (void)place;
    EXPECT(TS_OK, ts_check("{ }", 3, 0, &report, &error));
    CHECK(ts_format("{", 1, 0, &text, &fault) == TS_INVALID_QUERY && text == NULL);
    EXPECT(TS_OK, ts_format("{ }", 3, 0, &text, &error));
    EXPECT(TS_OK, ts_store_close(closed, &error));

    /* Of another kind, and of none. */
    void *foreign[] = {interrupt, report, text, fault, &nobody, (char *)store + 1};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        refused_as_store(foreign[i]);
        if (i != 0)
            refused_as_interrupt(foreign[i], store);
        if (i != 1)
            refused_as_report(foreign[i]);
        if (i != 2)
            refused_as_text(foreign[i]);
        if (i != 3)
            refused_as_error(foreign[i]);
    }
    /* Given up. */
    refused_as_store(closed);
    CHECK(ts_interrupt_free(interrupt) == TS_OK && ts_report_free(report) == TS_OK);
    CHECK(ts_text_free(text) == TS_OK && ts_error_free(fault) == TS_OK);
    refused_as_interrupt(interrupt, store);
    refused_as_report(report);
    refused_as_text(text);
    refused_as_error(fault);
    EXPECT(TS_OK, ts_store_close(store, &error));
    refused_as_store(store);
}
