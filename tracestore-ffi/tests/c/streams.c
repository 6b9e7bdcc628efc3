/* Answers as Arrow streams: columns and rows, ends before the end, errors on the way. */
#include "check.h"

static int64_t column_of(const struct ArrowSchema *schema, const char *name)
{
    for (int64_t column = 0; column < schema->n_children; column++)
        if (!strcmp(schema->children[column]->name, name))
            return column;
    return -1;
}

static void found_spans(ts_store *store)
{
    const char *columns[] = {"spanset", "trace:id", "span:id", "name", "service", "start_time", "duration"};
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    int64_t rows = 0;

    EXPECT(TS_OK, ts_query_arrow(store, "{ span.user = \"bob\" }", 21, NULL, &stream, &error));
    CHECK(stream.get_schema(&stream, &schema) == 0 && !strcmp(schema.format, "+s"));
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        CHECK(column_of(&schema, columns[i]) >= 0);
    CHECK(column_of(&schema, "span.user:str") >= 0);
    int64_t number = column_of(&schema, "spanset");
    while (stream.get_next(&stream, &batch) == 0 && batch.release) {
        CHECK(batch.n_children == schema.n_children && batch.n_buffers == 1);
        for (int64_t row = 0; row < batch.length; row++) {
            const struct ArrowArray *column = batch.children[number];
            CHECK(((const int64_t *)column->buffers[1])[column->offset + row] == 1);
        }
        rows += batch.length;
        batch.release(&batch);
        CHECK(batch.release == NULL);
    }
    CHECK(rows == 6 && stream.get_last_error(&stream) == NULL);
    /* Behind the end is the end. */
    CHECK(stream.get_next(&stream, &batch) == 0 && batch.release == NULL);
    stream.release(&stream);
    CHECK(stream.release == NULL);
    /* The schema is the consumer's own. */
    CHECK(!strcmp(schema.children[number]->format, "l"));
    schema.release(&schema);
}

static void series(ts_store *store)
{
    const ts_query_options instant = {.size = sizeof instant, .instant = 1};
    const char *query = "{ } | count_over_time() by (resource.service.name)";
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;

    EXPECT(TS_OK, ts_query_arrow(store, query, TS_ZERO_TERMINATED, &instant, &stream, &error));
    CHECK(stream.get_schema(&stream, &schema) == 0 && schema.n_children == 3);
    CHECK(!strncmp(schema.children[0]->format, "tsn:", 4) && schema.children[1]->dictionary);
    CHECK(stream.get_next(&stream, &batch) == 0 && batch.length == 2);
    const struct ArrowArray *values = batch.children[2];
    const double *numbers = (const double *)values->buffers[1] + values->offset;
    CHECK(numbers[0] + numbers[1] == 9);
    batch.release(&batch);
    schema.release(&schema);
    stream.release(&stream);
}

/* Reads a stream to its end, and releases it. */
static int64_t count_rows(struct ArrowArrayStream *stream)
{
    struct ArrowArray batch;
    int64_t rows = 0;

    while (stream->get_next(stream, &batch) == 0 && batch.release) {
        rows += batch.length;
        batch.release(&batch);
    }
    CHECK(stream->get_last_error(stream) == NULL);
    stream->release(stream);
    return rows;
}

static void one_trace(ts_store *store)
{
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;

    EXPECT(TS_OK, ts_trace_arrow(store, "02020202020202020202020202020202", 32, NULL, &stream, &error));
    CHECK(stream.get_schema(&stream, &schema) == 0 && column_of(&schema, "span:parent_id") >= 0);
    schema.release(&schema);
    CHECK(count_rows(&stream) == 3);
    EXPECT(TS_OK, ts_trace_arrow(store, "77", 2, NULL, &stream, &error));
    CHECK(count_rows(&stream) == 0);
}

static void ended_early(ts_store *store)
{
    ts_interrupt *interrupt = ts_interrupt_new();
    const ts_query_options options = {.size = sizeof options, .interrupt = interrupt};
    const ts_query_options little = {.size = sizeof little, .max_memory = 1};
    struct ArrowArrayStream stream;
    struct ArrowArray batch;

    /* Released before it has given anything, and after one batch, which stays. */
    EXPECT(TS_OK, ts_query_arrow(store, "{ }", 3, NULL, &stream, &error));
    stream.release(&stream);
    EXPECT(TS_OK, ts_query_arrow(store, "{ }", 3, NULL, &stream, &error));
    CHECK(stream.get_next(&stream, &batch) == 0 && batch.length > 0);
    stream.release(&stream);
    CHECK(batch.release && batch.children[0]->length == batch.length);
    batch.release(&batch);
    /* An interrupt ends a stream that has begun. */
    EXPECT(TS_OK, ts_query_arrow(store, "{ }", 3, &options, &stream, &error));
    CHECK(ts_interrupt_raise(interrupt) == TS_OK && stream.get_next(&stream, &batch) != 0);
    CHECK(strstr(stream.get_last_error(&stream), "interrupted"));
    CHECK(stream.get_next(&stream, &batch) == 0 && batch.release == NULL);
    stream.release(&stream);
    CHECK(ts_interrupt_free(interrupt) == TS_OK);
    /* And so does a limit. */
    ts_code code = ts_query_arrow(store, "{ } >> { }", 10, &little, &stream, NULL);
    if (code == TS_OK) {
        CHECK(stream.get_next(&stream, &batch) != 0 && strstr(stream.get_last_error(&stream), "emory"));
        stream.release(&stream);
    } else {
        CHECK(code == TS_LIMIT);
    }
}

void test_streams(const struct place *place)
{
    ts_store *store = small_store();

    (void)place;
    found_spans(store);
    series(store);
    one_trace(store);
    ended_early(store);
    EXPECT(TS_OK, ts_store_close(store, &error));
}
