/*
 * All tests of the C ABI, by one thread and by several at once: main FOLDER RECORDING THREADS
 * FOLDER is for stores, and empty; RECORDING is testdata/otlp/shop.otlp.zst.
 */
#include <pthread.h>

#include "check.h"

static void *run(void *data)
{
    const struct place *place = data;

    test_arguments(place);
    test_handles(place);
    test_errors(place);
    test_answers(place);
    test_streams(place);
    test_ends(place);
    return NULL;
}

/* What several threads have at once: one store, closed by the first of them while the others use it. */
static ts_store *shared;

static void *use_shared(void *data)
{
    const struct place *place = data;
    ts_text *text;
    ts_code code = TS_OK;

    for (int round = 0; round < 1000 && code == TS_OK; round++) {
        size_t length;
        uint8_t *request = make_request((uint8_t)(place->thread + 10), 3, &length);
        code = ts_ingest(shared, request, length, TS_OTLP_PROTOBUF, NULL, NULL);
        free(request);
        CHECK(code == TS_OK || code == TS_STOPPED || code == TS_INVALID_HANDLE);
        code = ts_query_json(shared, "{ name = \"root\" }", 17, NULL, TS_NDJSON, &text, NULL);
        CHECK(code == TS_OK || code == TS_INVALID_HANDLE);
        if (code == TS_OK)
            check_text(text, "root");
        if (place->thread == 0 && round == 10)
            EXPECT(TS_OK, ts_store_close(shared, &error));
    }
    CHECK(code == TS_INVALID_HANDLE);
    return NULL;
}

int main(int argc, char **argv)
{
    enum { MOST = 64 };
    struct place places[MOST];
    pthread_t threads[MOST];

    CHECK(argc == 4);
    int count = atoi(argv[3]);
    CHECK(count > 0 && count <= MOST);
    shared = small_store();
    void *(*const works[])(void *) = {run, use_shared};
    for (int work = 0; work < 2; work++) {
        for (int thread = 0; thread < count; thread++) {
            places[thread] = (struct place){argv[1], argv[2], thread};
            CHECK(pthread_create(&threads[thread], NULL, works[work], &places[thread]) == 0);
        }
        for (int thread = 0; thread < count; thread++)
            CHECK(pthread_join(threads[thread], NULL) == 0);
    }
    CHECK(ts_open_handles() == 0);
    puts("all is well");
    return 0;
}
