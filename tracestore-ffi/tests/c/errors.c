/* Errors that are forced: each code by what it stands for. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static void make_path(char *path, size_t size, const struct place *place, const char *name)
{
    CHECK((size_t)snprintf(path, size, "%s/%d-%s", place->folder, place->thread, name) < size);
}

static void queries(ts_store *store)
{
    const ts_query_options little = {.size = sizeof little, .max_memory = 1};
    const ts_query_options backwards = {.size = sizeof backwards, .start = 9000, .end = 1000, .step = 1};
    struct ArrowArrayStream stream;
    ts_error *fault;
    ts_text *text;
    size_t offset, length;

    CHECK(ts_query_json(store, "{ status == error }", TS_ZERO_TERMINATED, NULL, TS_JSON, &text, &fault) ==
          TS_INVALID_QUERY);
    CHECK(ts_error_span(fault, &offset, &length) == TS_OK && offset == 9 && length == 2);
    CHECK(strstr(ts_error_message(fault), "status == error") && ts_error_free(fault) == TS_OK);
    EXPECT(TS_INVALID_QUERY, ts_query_arrow(store, "", 0, NULL, &stream, &error));
    EXPECT(TS_INVALID_QUERY, ts_explain(store, "{ 1 }", 5, NULL, 0, &text, &error));
    EXPECT(TS_INVALID_QUERY, ts_tag_values(store, "{ }", 3, NULL, &text, &error));
    EXPECT(TS_INVALID_QUERY, ts_format("{ a", 3, 0, &text, &error));
    EXPECT(TS_INVALID_OPTIONS, ts_query_json(store, "{ }", 3, NULL, TS_PROMETHEUS_JSON, &text, &error));
    EXPECT(TS_INVALID_OPTIONS, ts_query_json(store, "{ } | rate()", 12, &backwards, TS_JSON, &text, &error));
    EXPECT(TS_INVALID_OPTIONS, ts_query_json(store, "{ }", 3, &backwards, TS_JSON, &text, &error));
    EXPECT(TS_INVALID_OPTIONS, ts_query_arrow(store, "{ }", 3, &backwards, &stream, &error));
    EXPECT(TS_INVALID_OPTIONS, ts_span_metrics(store, "metrics_generator: 7", 0, 0, TS_PROMETHEUS_TEXT, &text, &error));
    EXPECT(TS_LIMIT, ts_query_json(store, "{ span.user = \"ann\" }", 21, &little, TS_JSON, &text, &error));
    EXPECT(TS_BAD_INPUT, ts_trace(store, "no digits", 9, TS_OTLP_JSON, &text, &error));
    EXPECT(TS_INVALID_QUERY, ts_store_delete(store, TS_DELETE_SPANS, "{ } | rate()", 12, 0, NULL, &error));
    EXPECT(TS_BAD_INPUT, ts_store_delete(store, TS_DELETE_TRACE, "{ }", 3, 0, NULL, &error));
    EXPECT(TS_NOT_FOUND, ts_trace(store, "77", 2, TS_OTLP_JSON, &text, &error));
    CHECK(ts_trace(store, "77", 2, TS_OTLP_JSON, &text, &fault) == TS_NOT_FOUND);
    CHECK(ts_error_span(fault, &offset, &length) == TS_NOT_FOUND && ts_error_free(fault) == TS_OK);
}

static void data(ts_store *store)
{
    ts_ingest_result result = {.size = sizeof result};
    size_t length;
    uint8_t *request = make_request(9, 2, &length);

    EXPECT(TS_BAD_INPUT, ts_ingest(store, request, length - 1, TS_OTLP_PROTOBUF, &result, &error));
    EXPECT(TS_BAD_INPUT, ts_ingest(store, request, length, TS_OTLP_JSON, &result, &error));
    EXPECT(TS_BAD_INPUT, ts_ingest(store, (const uint8_t *)"{\"x", 3, TS_OTLP_JSON, &result, &error));
    EXPECT(TS_BAD_INPUT, ts_ingest(store, (const uint8_t *)"no file of OTLP", 15, TS_OTLP_FILE, &result, &error));
    CHECK(result.spans == 0);
    /* One of two spans has no id: the other is taken. */
    const char *json = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["
                       "{\"traceId\":\"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\",\"spanId\":\"0000000000000001\",\"name\":\"j\"},"
                       "{\"traceId\":\"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\",\"spanId\":\"0000000000000000\",\"name\":\"j\"}]}]}]}";
    EXPECT(TS_OK, ts_ingest(store, (const uint8_t *)json, strlen(json), TS_OTLP_JSON, &result, &error));
    CHECK(result.requests == 1 && result.spans == 1 && result.refused == 1 && result.refused_span_id == 1);
    free(request);

    /* More comes in than may wait. */
    const ts_store_options options = {.size = sizeof options, .threads = 1, .no_background = 1, .memory_budget = 2000};
    ts_store *small;
    EXPECT(TS_OK, ts_store_open(NULL, &options, &small, &error));
    ts_code code = TS_OK;
    for (uint8_t trace = 1; trace < 100 && code == TS_OK; trace++) {
        request = make_request(trace, 3, &length);
        code = ts_ingest(small, request, length, TS_OTLP_PROTOBUF, NULL, NULL);
        free(request);
    }
    CHECK(code == TS_BUSY);
    EXPECT(TS_OK, ts_store_flush(small, &error));
    request = make_request(100, 3, &length);
    EXPECT(TS_OK, ts_ingest(small, request, length, TS_OTLP_PROTOBUF, NULL, &error));
    free(request);
    request = make_request(101, 30, &length);
    EXPECT(TS_LIMIT, ts_ingest(small, request, length, TS_OTLP_PROTOBUF, NULL, &error));
    free(request);
    EXPECT(TS_OK, ts_store_close(small, &error));
}

/* Writes a byte into the middle of every file of the store's only block. */
static void damage_blocks(const char *store)
{
    char folder[1024], path[2048];
    struct dirent *entry;
    struct stat found;

    CHECK(snprintf(folder, sizeof folder, "%s/blocks", store) > 0);
    DIR *blocks = opendir(folder);
    CHECK(blocks);
    while ((entry = readdir(blocks)) && *entry->d_name == '.') {
    }
    CHECK(entry && snprintf(folder, sizeof folder, "%s/blocks/%s", store, entry->d_name) > 0);
    closedir(blocks);
    CHECK((blocks = opendir(folder)));
    while ((entry = readdir(blocks))) {
        if (*entry->d_name == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        CHECK(stat(path, &found) == 0 && chmod(path, 0644) == 0);
        FILE *file = fopen(path, "r+b");
        CHECK(file && fseek(file, found.st_size / 2, SEEK_SET) == 0 && fputc(0x5a, file) != EOF);
        CHECK(fseek(file, found.st_size / 2 + 1, SEEK_SET) == 0 && fputc(0xa5, file) != EOF && fclose(file) == 0);
    }
    closedir(blocks);
}

static void stores(const struct place *place)
{
    const ts_store_options writing = {.size = sizeof writing, .threads = 1}, reading = {.size = sizeof reading, .threads = 1, .read_only = 1};
    char path[512], other[512];
    ts_store *store, *second = NULL;
    ts_text *text;
    size_t length;

    make_path(path, sizeof path, place, "store");
    make_path(other, sizeof other, place, "other");
    EXPECT(TS_NOT_FOUND, ts_store_open(path, &reading, &store, &error));
    EXPECT(TS_OK, ts_store_open(path, &writing, &store, &error));
    EXPECT(TS_LOCKED, ts_store_open(path, &writing, &second, &error));
    CHECK(second == NULL);
    uint8_t *request = make_request(5, 3, &length);
    EXPECT(TS_OK, ts_ingest(store, request, length, TS_OTLP_PROTOBUF, NULL, &error));

    /* Who only reads sees what was acknowledged, and writes nothing. */
    EXPECT(TS_OK, ts_store_open(path, &reading, &second, &error));
    EXPECT(TS_READ_ONLY, ts_ingest(second, request, length, TS_OTLP_PROTOBUF, NULL, &error));
    EXPECT(TS_READ_ONLY, ts_store_flush(second, &error));
    EXPECT(TS_READ_ONLY, ts_store_compact(second, 0, NULL, &error));
    EXPECT(TS_READ_ONLY, ts_store_delete(second, TS_DELETE_SPANS, "{ }", 3, 0, NULL, &error));
    EXPECT(TS_OK, ts_query_json(second, "{ name = \"root\" }", 17, NULL, TS_NDJSON, &text, &error));
    check_text(text, "05050505050505050505050505050505");
    EXPECT(TS_OK, ts_store_close(second, &error));
    EXPECT(TS_OK, ts_store_close(store, &error));

    /* A file where a folder should be, a folder that is something else. */
    FILE *file = fopen(other, "w");
    CHECK(file && fclose(file) == 0);
    CHECK(ts_store_open(other, &writing, &second, NULL) != TS_OK && second == NULL);
    CHECK(ts_store_open("/proc/none/store", &writing, &second, NULL) != TS_OK && second == NULL);

    damage_blocks(path);
    ts_code code = ts_store_open(path, &reading, &store, NULL);
    if (code == TS_OK) {
        EXPECT(TS_CORRUPT, ts_query_json(store, "{ span.user = \"ann\" }", 21, NULL, TS_JSON, &text, &error));
        EXPECT(TS_OK, ts_store_close(store, &error));
    } else {
        CHECK(code == TS_CORRUPT);
    }
    free(request);
}

/* What is closed while it is in use. */
static void closing(const struct place *place)
{
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
    ts_store *store = small_store();

    (void)place;
    EXPECT(TS_OK, ts_query_arrow(store, "{ }", 3, NULL, &stream, &error));
    EXPECT(TS_OK, ts_store_close(store, &error));
    int64_t rows = 0;
    while (stream.get_next(&stream, &batch) == 0 && batch.release) {
        rows += batch.length;
        batch.release(&batch);
    }
    CHECK(rows == 9);
    stream.release(&stream);
}

void test_errors(const struct place *place)
{
    ts_store *store = small_store();

    queries(store);
    data(store);
    EXPECT(TS_OK, ts_store_close(store, &error));
    stores(place);
    closing(place);
    for (ts_code code = TS_OK; code <= TS_EXECUTION; code++)
        CHECK(!strncmp(ts_code_name(code), "TS_", 3));
    CHECK(!strcmp(ts_code_name(99), "unknown code") && !strcmp(ts_code_name(-1), "unknown code"));
}
