/* What the functions are for: each one gives what it says. */
#include "check.h"

static void queries(ts_store *store)
{
    ts_query_options options = {.size = sizeof options, .limit = 2, .order = TS_OLDEST_FIRST};
    ts_text *text;
    const char *next;
    char after[100];

    EXPECT(TS_OK, ts_query_json(store, "{ name = \"root\" }", 17, &options, TS_JSON, &text, &error));
    CHECK(strstr(ts_text_data(text), "0101010101010101") && !strstr(ts_text_data(text), "0303030303030303"));
    CHECK((next = strstr(ts_text_data(text), "\"next\":\"")));
    CHECK(sscanf(next + 8, "%99[^\"]", after) == 1 && ts_text_free(text) == TS_OK);
    options.after = after;
    EXPECT(TS_OK, ts_query_json(store, "{ name = \"root\" }", 17, &options, TS_NDJSON, &text, &error));
    CHECK(!strstr(ts_text_data(text), "0101010101010101"));
    check_text(text, "03030303030303030303030303030303");
    EXPECT(TS_OK, ts_query_json(store, "{ name = \"root\" }", 17, NULL, TS_TEMPO_JSON, &text, &error));
    check_text(text, "\"rootTraceName\":\"root\"");
    ts_query_options all = {.size = sizeof all, .spans_per_spanset = TS_ALL, .limit = 1};
    EXPECT(TS_OK, ts_query_json(store, "{ }", 3, &all, TS_NDJSON, &text, &error));
    check_text(text, "\"matched\":3");
    EXPECT(TS_OK, ts_explain(store, "{ name = \"root\" }", 17, NULL, 0, &text, &error));
    check_text(text, "Physical plan");
    EXPECT(TS_OK, ts_explain(store, "{ name = \"root\" }", 17, NULL, 1, &text, &error));
    check_text(text, "3 traces");
}

static void metrics(ts_store *store)
{
    const ts_query_options instant = {.size = sizeof instant, .instant = 1, .max_series = 1};
    const char *query = "{ } | count_over_time() by (span.user)";
    ts_text *text;

    EXPECT(TS_OK, ts_query_json(store, query, TS_ZERO_TERMINATED, NULL, TS_NDJSON, &text, &error));
    check_text(text, "\"ann\"");
    EXPECT(TS_OK, ts_query_json(store, query, TS_ZERO_TERMINATED, NULL, TS_TEMPO_JSON, &text, &error));
    check_text(text, "\"series\"");
    EXPECT(TS_OK, ts_query_json(store, query, TS_ZERO_TERMINATED, NULL, TS_PROMETHEUS_JSON, &text, &error));
    check_text(text, "\"matrix\"");
    EXPECT(TS_OK, ts_query_json(store, query, TS_ZERO_TERMINATED, &instant, TS_JSON, &text, &error));
    check_text(text, "\"partial\":true");
    EXPECT(TS_OK, ts_span_metrics(store, NULL, 0, 0, TS_PROMETHEUS_TEXT, &text, &error));
    check_text(text, "traces_spanmetrics_calls_total");
    EXPECT(TS_OK, ts_span_metrics(store, "metrics_generator: {}", 1, 2, TS_OPENMETRICS_TEXT, &text, &error));
    check_text(text, "# EOF");
}

static void tags(ts_store *store)
{
    const ts_tag_options options = {.size = sizeof options, .scope = TS_SCOPE_SPAN, .query = "{ name = \"root\" }"};
    ts_text *text;

    EXPECT(TS_OK, ts_tag_names(store, &options, &text, &error));
    CHECK(!strstr(ts_text_data(text), "service.name"));
    check_text(text, "\"user\"");
    EXPECT(TS_OK, ts_tag_names(store, NULL, &text, &error));
    check_text(text, "service.name");
    EXPECT(TS_OK, ts_tag_values(store, "span.user", TS_ZERO_TERMINATED, &options, &text, &error));
    CHECK(!strstr(ts_text_data(text), "ann"));
    check_text(text, "\"count\":3");
}

static void traces(ts_store *store)
{
    ts_text *json, *bytes;
    ts_store *other;
    ts_ingest_result result = {.size = sizeof result};

    EXPECT(TS_OK, ts_trace(store, "2020202020202020202020202020202", 31, TS_OTLP_JSON, &json, &error));
    EXPECT(TS_OK, ts_trace(store, "02020202020202020202020202020202", 32, TS_OTLP_PROTOBUF, &bytes, &error));
    /* Either form is what another store takes. */
    EXPECT(TS_OK, ts_store_open(NULL, NULL, &other, &error));
    EXPECT(TS_OK, ts_ingest(other, (const uint8_t *)ts_text_data(json), ts_text_length(json), TS_OTLP_JSON, &result, &error));
    CHECK(result.spans == 3);
    EXPECT(TS_OK, ts_ingest(other, (const uint8_t *)ts_text_data(bytes), ts_text_length(bytes), TS_OTLP_FILE, &result, &error));
    CHECK(result.spans == 3 && ts_text_free(bytes) == TS_OK);
    check_text(json, "even");
    ts_store_status status = {.size = sizeof status};
    EXPECT(TS_OK, ts_store_get_status(other, &status, &error));
    CHECK(status.waiting_requests == 2 && status.waiting_bytes > 0 && status.bytes > 0);
    EXPECT(TS_OK, ts_store_flush(other, &error));
    EXPECT(TS_OK, ts_store_get_status(other, &status, &error));
    CHECK(status.waiting_requests == 0 && status.blocks == 1 && status.spans == 6);
    EXPECT(TS_OK, ts_store_trouble(other, &json, &error));
    CHECK(json == NULL);
    EXPECT(TS_OK, ts_store_close(other, &error));
}

/* Blocks of one trace each, with a copy of one of them, are merged, and lose what is deleted. */
static void upkeep(void)
{
    const ts_store_options options = {.size = sizeof options, .threads = 1, .no_background = 1};
    ts_deletion_result deleted = {.size = sizeof deleted};
    ts_compaction_result merged = {.size = sizeof merged};
    ts_store_status status = {.size = sizeof status};
    ts_store *store;
    ts_text *text;

    EXPECT(TS_OK, ts_store_open(NULL, &options, &store, &error));
    for (uint8_t trace = 0; trace < 8; trace++) {
        size_t length;
        uint8_t *request = make_request((uint8_t)(trace % 4 + 1), 3, &length);
        EXPECT(TS_OK, ts_ingest(store, request, length, TS_OTLP_PROTOBUF, NULL, &error));
        EXPECT(TS_OK, ts_store_flush(store, &error));
        free(request);
    }
    EXPECT(TS_OK, ts_store_delete(store, TS_DELETE_SPANS, "{ name = \"child\" && trace:id =~ \"01.*\" }",
                                  TS_ZERO_TERMINATED, 1, &deleted, &error));
    CHECK(deleted.spans == 2 && deleted.stored_spans == 4 && deleted.traces == 1 && deleted.blocks == 2);
    EXPECT(TS_OK, ts_store_get_status(store, &status, &error));
    CHECK(status.blocks == 8 && status.spans == 24);
    const char *id = "02020202020202020202020202020202";
    EXPECT(TS_OK, ts_store_delete(store, TS_DELETE_TRACE, id, 32, 0, &deleted, &error));
    CHECK(deleted.spans == 3);
    EXPECT(TS_OK, ts_store_delete(store, TS_DELETE_TRACES, "{ trace:id =~ \"03.*\" && name = \"root\" }",
                                  TS_ZERO_TERMINATED, 0, &deleted, &error));
    CHECK(deleted.spans == 3 && deleted.traces == 1);
    EXPECT(TS_NOT_FOUND, ts_trace(store, id, 32, TS_OTLP_JSON, &text, &error));
    EXPECT(TS_OK, ts_store_compact(store, 1, &merged, &error));
    EXPECT(TS_OK, ts_store_get_status(store, &status, &error));
    CHECK(merged.blocks_before == 4 && merged.blocks_after == 1 && merged.left_alone == 0);
    CHECK(merged.spans_before == 12 && merged.spans_after == 6 && merged.bytes_after < merged.bytes_before);
    CHECK(status.blocks == 1 && status.spans == 6);
    EXPECT(TS_OK, ts_store_close(store, &error));
}

static void language(void)
{
    ts_diagnostic found = {.size = sizeof found};
    ts_report *report;
    ts_text *text;

    EXPECT(TS_OK, ts_format("{span.a=1}|rate()", 17, 0, &text, &error));
    check_text(text, "{ span.a = 1 } | rate()");
    const char *query = "{ resource.service.name = \"a-name-that-takes-its-place\" && span.http.method = \"POST\" && duration > "
                        "1s } | rate() by (resource.service.name, span.http.method)";
    EXPECT(TS_OK, ts_format(query, TS_ZERO_TERMINATED, 1, &text, &error));
    check_text(text, "\n");
    EXPECT(TS_OK, ts_check("{ } | rate()", 12, 0, &report, &error));
    CHECK(ts_report_verdict(report) == TS_VALID && ts_report_kind(report) == TS_METRICS && ts_report_free(report) == TS_OK);
    EXPECT(TS_OK, ts_check("{ }", 3, 1, &report, &error));
    CHECK(ts_report_kind(report) == TS_SEARCH && ts_report_count(report) == 0 && ts_report_free(report) == TS_OK);
    EXPECT(TS_OK, ts_check("{ status == error }", 19, 0, &report, &error));
    CHECK(ts_report_verdict(report) == TS_PARSE_ERROR && ts_report_kind(report) == TS_NO_QUERY && ts_report_count(report) == 1);
    EXPECT(TS_OK, ts_report_diagnostic(report, 0, &found, &error));
    CHECK(found.offset == 9 && found.length == 2 && found.severity == TS_SEVERITY_ERROR && found.reserved == 0);
    CHECK(!strncmp(found.code, "TQ", 2) && *found.message && strstr(found.rendered, "status == error"));
    EXPECT(TS_INVALID_ARGUMENT, ts_report_diagnostic(report, 1, &found, &error));
    CHECK(ts_report_free(report) == TS_OK);
    EXPECT(TS_OK, ts_check("{ 1 = \"a\" }", 11, 0, &report, &error));
    CHECK(ts_report_verdict(report) == TS_CHECK_ERROR && ts_report_free(report) == TS_OK);
}

static void recording(const struct place *place)
{
    const ts_query_options options = {.size = sizeof options, .limit = 1000};
    FILE *file = fopen(place->recording, "rb");
    static const size_t capacity = 1 << 22;
    uint8_t *content = malloc(capacity);
    ts_ingest_result result = {.size = sizeof result};
    ts_store *store;
    ts_text *text;

    CHECK(file && content);
    size_t length = fread(content, 1, capacity, file);
    CHECK(length < capacity && fclose(file) == 0);
    EXPECT(TS_OK, ts_store_open(NULL, NULL, &store, &error));
    EXPECT(TS_OK, ts_ingest(store, content, length, TS_OTLP_FILE, &result, &error));
    CHECK(result.spans == 2999 && result.refused == 0 && result.requests > 1);
    free(content);
    EXPECT(TS_OK, ts_query_json(store, "{ resource.service.name = \"api-gateway\" && span.http.method = \"POST\" && "
                                       "duration > 30ms }", TS_ZERO_TERMINATED, &options, TS_NDJSON, &text, &error));
    size_t traces = 0;
    for (const char *at = ts_text_data(text); (at = strchr(at, '\n')); at++)
        traces++;
    CHECK(traces == 98 && ts_text_free(text) == TS_OK);
    EXPECT(TS_OK, ts_store_close(store, &error));
}

void test_answers(const struct place *place)
{
    ts_store *store = small_store();

    CHECK(ts_abi_version() == TS_ABI_VERSION && *ts_version());
    queries(store);
    metrics(store);
    tags(store);
    traces(store);
    EXPECT(TS_OK, ts_store_close(store, &error));
    upkeep();
    language();
    /* The same for every thread, and long under Valgrind. */
    if (place->thread == 0)
        recording(place);
}
