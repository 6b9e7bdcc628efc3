/* Every function with NULL, with lengths that no object has, with text that is no text, with numbers without a meaning. */
#include "check.h"

#define NO_LENGTH (SIZE_MAX / 2 + 1)
#define REFUSED TS_INVALID_ARGUMENT

static const char bad[] = "\xff\xfe";

static void nulls_without_a_store(void)
{
    size_t number;

    CHECK(ts_error_code(NULL) == TS_OK && ts_error_message(NULL) == NULL);
    CHECK(ts_error_span(NULL, NULL, NULL) == REFUSED && ts_error_span(NULL, &number, &number) == REFUSED);
    CHECK(ts_error_free(NULL) == TS_OK);
    CHECK(ts_text_data(NULL) == NULL && ts_text_length(NULL) == 0 && ts_text_free(NULL) == TS_OK);
    CHECK(ts_interrupt_raise(NULL) == REFUSED && ts_interrupt_clear(NULL) == REFUSED);
    CHECK(ts_interrupt_free(NULL) == TS_OK);
    CHECK(ts_report_verdict(NULL) == TS_PARSE_ERROR && ts_report_kind(NULL) == TS_NO_QUERY);
    CHECK(ts_report_count(NULL) == 0 && ts_report_free(NULL) == TS_OK);
    ts_diagnostic diagnostic = {.size = sizeof diagnostic};
    EXPECT(REFUSED, ts_report_diagnostic(NULL, 0, &diagnostic, &error));
    EXPECT(REFUSED, ts_report_diagnostic(NULL, 0, NULL, &error));
    EXPECT(REFUSED, ts_store_open(NULL, NULL, NULL, &error));
    EXPECT(TS_OK, ts_store_close(NULL, &error));
    EXPECT(REFUSED, ts_store_flush(NULL, &error));
    ts_store_status status = {.size = sizeof status};
    EXPECT(REFUSED, ts_store_get_status(NULL, &status, &error));
    ts_text *text;
    EXPECT(REFUSED, ts_store_trouble(NULL, &text, &error));
    EXPECT(REFUSED, ts_ingest(NULL, (const uint8_t *)"", 0, TS_OTLP_PROTOBUF, NULL, &error));
    struct ArrowArrayStream stream;
    EXPECT(REFUSED, ts_query_arrow(NULL, "{ }", 3, NULL, &stream, &error));
    EXPECT(REFUSED, ts_query_json(NULL, "{ }", 3, NULL, TS_JSON, &text, &error));
    EXPECT(REFUSED, ts_explain(NULL, "{ }", 3, NULL, 0, &text, &error));
    EXPECT(REFUSED, ts_tag_names(NULL, NULL, &text, &error));
    EXPECT(REFUSED, ts_tag_values(NULL, "name", 4, NULL, &text, &error));
    EXPECT(REFUSED, ts_span_metrics(NULL, NULL, 0, 0, TS_PROMETHEUS_TEXT, &text, &error));
    EXPECT(REFUSED, ts_trace(NULL, "01", 2, TS_OTLP_JSON, &text, &error));
    EXPECT(REFUSED, ts_trace_arrow(NULL, "01", 2, NULL, &stream, &error));
    EXPECT(REFUSED, ts_store_compact(NULL, 0, NULL, &error));
    EXPECT(REFUSED, ts_store_delete(NULL, TS_DELETE_SPANS, "{ }", 3, 0, NULL, &error));
    CHECK(text == NULL);
    /* Nobody has to ask what went wrong. */
    CHECK(ts_store_open(NULL, NULL, NULL, NULL) == REFUSED && ts_store_flush(NULL, NULL) == REFUSED);
}

static void texts(ts_store *store)
{
    struct ArrowArrayStream stream;
    ts_report *report;
    ts_text *text;
    const struct {
        const char *pointer;
        size_t length;
    } wrong[] = {{NULL, 0}, {NULL, TS_ZERO_TERMINATED}, {"{ }", NO_LENGTH}, {"{ }", SIZE_MAX - 1}, {bad, 2}, {bad, TS_ZERO_TERMINATED}};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *pointer = wrong[i].pointer;
        size_t length = wrong[i].length;
        EXPECT(REFUSED, ts_query_arrow(store, pointer, length, NULL, &stream, &error));
        EXPECT(REFUSED, ts_query_json(store, pointer, length, NULL, TS_JSON, &text, &error));
        EXPECT(REFUSED, ts_explain(store, pointer, length, NULL, 0, &text, &error));
        EXPECT(REFUSED, ts_tag_values(store, pointer, length, NULL, &text, &error));
        EXPECT(REFUSED, ts_trace(store, pointer, length, TS_OTLP_JSON, &text, &error));
        EXPECT(REFUSED, ts_trace_arrow(store, pointer, length, NULL, &stream, &error));
        EXPECT(REFUSED, ts_store_delete(store, TS_DELETE_SPANS, pointer, length, 0, NULL, &error));
        EXPECT(REFUSED, ts_check(pointer, length, 0, &report, &error));
        EXPECT(REFUSED, ts_format(pointer, length, 0, &text, &error));
        CHECK(text == NULL && report == NULL);
    }
    EXPECT(REFUSED, ts_store_open(bad, NULL, &store, &error));
    CHECK(store == NULL);
}

static void places_for_results(ts_store *store)
{
    EXPECT(REFUSED, ts_query_arrow(store, "{ }", 3, NULL, NULL, &error));
    EXPECT(REFUSED, ts_query_json(store, "{ }", 3, NULL, TS_JSON, NULL, &error));
    EXPECT(REFUSED, ts_explain(store, "{ }", 3, NULL, 0, NULL, &error));
    EXPECT(REFUSED, ts_tag_names(store, NULL, NULL, &error));
    EXPECT(REFUSED, ts_tag_values(store, "name", 4, NULL, NULL, &error));
    EXPECT(REFUSED, ts_span_metrics(store, NULL, 0, 0, TS_PROMETHEUS_TEXT, NULL, &error));
    EXPECT(REFUSED, ts_trace(store, "01", 2, TS_OTLP_JSON, NULL, &error));
    EXPECT(REFUSED, ts_trace_arrow(store, "01", 2, NULL, NULL, &error));
    EXPECT(REFUSED, ts_check("{ }", 3, 0, NULL, &error));
    EXPECT(REFUSED, ts_format("{ }", 3, 0, NULL, &error));
    EXPECT(REFUSED, ts_store_get_status(store, NULL, &error));
    EXPECT(REFUSED, ts_store_trouble(store, NULL, &error));
}

static void data(ts_store *store)
{
    const uint8_t byte = 10;
    ts_ingest_result result = {.size = sizeof result, .spans = 7};

    EXPECT(REFUSED, ts_ingest(store, NULL, 0, TS_OTLP_PROTOBUF, &result, &error));
    EXPECT(REFUSED, ts_ingest(store, NULL, 9, TS_OTLP_FILE, &result, &error));
    EXPECT(REFUSED, ts_ingest(store, &byte, NO_LENGTH, TS_OTLP_PROTOBUF, &result, &error));
    EXPECT(REFUSED, ts_ingest(store, &byte, SIZE_MAX, TS_OTLP_PROTOBUF, &result, &error));
    EXPECT(REFUSED, ts_ingest(store, &byte, 1, 3, &result, &error));
    CHECK(result.spans == 0);
    result.size = 3;
    EXPECT(REFUSED, ts_ingest(store, &byte, 0, TS_OTLP_PROTOBUF, &result, &error));
}

static void numbers(ts_store *store)
{
    struct ArrowArrayStream stream;
    ts_report *report;
    ts_store *other;
    ts_text *text;
    const ts_query_options queries[] = {{.size = 0}, {.size = 1 << 20}, {.size = sizeof *queries, .order = 4},
        {.size = sizeof *queries, .instant = 2}, {.size = sizeof *queries, .allow_partial = 2},
        {.size = sizeof *queries, .reserved = 1}, {.size = sizeof *queries, .after = bad}, {.size = sizeof *queries, .after = "x"}};
    const ts_tag_options tags[] = {{.size = 7}, {.size = sizeof *tags, .scope = 7}, {.size = sizeof *tags, .reserved = 1},
        {.size = sizeof *tags, .query = bad}};
    const ts_store_options stores[] = {{.size = 0}, {.size = sizeof *stores, .sync = 3}, {.size = sizeof *stores, .read_only = 2},
        {.size = sizeof *stores, .no_background = 2}, {.size = sizeof *stores, .read_only = 1}};

    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        EXPECT(REFUSED, ts_query_arrow(store, "{ }", 3, &queries[i], &stream, &error));
        EXPECT(REFUSED, ts_query_json(store, "{ }", 3, &queries[i], TS_JSON, &text, &error));
        EXPECT(REFUSED, ts_explain(store, "{ }", 3, &queries[i], 0, &text, &error));
        EXPECT(REFUSED, ts_trace_arrow(store, "01", 2, &queries[i], &stream, &error));
    }
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        EXPECT(REFUSED, ts_tag_names(store, &tags[i], &text, &error));
        EXPECT(REFUSED, ts_tag_values(store, "name", 4, &tags[i], &text, &error));
    }
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
        EXPECT(REFUSED, ts_store_open(NULL, &stores[i], &other, &error));
    EXPECT(REFUSED, ts_query_json(store, "{ }", 3, NULL, 4, &text, &error));
    EXPECT(REFUSED, ts_explain(store, "{ }", 3, NULL, 2, &text, &error));
    EXPECT(REFUSED, ts_trace(store, "01", 2, TS_OTLP_FILE, &text, &error));
    EXPECT(REFUSED, ts_span_metrics(store, NULL, 0, 0, 2, &text, &error));
    EXPECT(REFUSED, ts_span_metrics(store, bad, 0, 0, 0, &text, &error));
    EXPECT(REFUSED, ts_check("{ }", 3, 2, &report, &error));
    EXPECT(REFUSED, ts_format("{ }", 3, 2, &text, &error));
    EXPECT(REFUSED, ts_store_delete(store, 3, "{ }", 3, 0, NULL, &error));
    EXPECT(REFUSED, ts_store_delete(store, TS_DELETE_SPANS, "{ }", 3, 2, NULL, &error));
    ts_deletion_result deleted = {.size = 0};
    ts_compaction_result compacted = {.size = 4};
    EXPECT(REFUSED, ts_store_delete(store, TS_DELETE_SPANS, "{ }", 3, 0, &deleted, &error));
    EXPECT(REFUSED, ts_store_compact(store, 0, &compacted, &error));
    EXPECT(REFUSED, ts_store_compact(store, 2, NULL, &error));
    CHECK(ts_set_log(5, NULL, NULL) == REFUSED);
}

/* Options of a program that is older, or newer, than the library. */
static void sizes(ts_store *store)
{
    struct {
        ts_query_options known;
        uint64_t newer;
    } newer = {.known = {.size = sizeof newer}, .newer = 0};
    const ts_query_options older = {.size = offsetof(ts_query_options, limit), .limit = 1};
    ts_text *text;

    EXPECT(TS_OK, ts_query_json(store, "{ }", 3, &older, TS_JSON, &text, &error));
    check_text(text, "03030303030303030303030303030303");
    EXPECT(TS_OK, ts_query_json(store, "{ }", 3, &newer.known, TS_JSON, &text, &error));
    check_text(text, "01010101010101010101010101010101");
    newer.newer = 1;
    EXPECT(REFUSED, ts_query_json(store, "{ }", 3, &newer.known, TS_JSON, &text, &error));
    ts_store_status status = {.size = offsetof(ts_store_status, spans), .spans = 99};
    EXPECT(TS_OK, ts_store_get_status(store, &status, &error));
    CHECK(status.blocks == 1 && status.spans == 99);
}

void test_arguments(const struct place *place)
{
    ts_store *store = small_store();

    (void)place;
    nulls_without_a_store();
    texts(store);
    places_for_results(store);
    data(store);
    numbers(store);
    sizes(store);
    EXPECT(TS_OK, ts_store_close(store, &error));
}
