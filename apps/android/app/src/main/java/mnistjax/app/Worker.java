package mnistjax.app;

import android.os.Handler;
import android.os.Looper;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** A thread on which models are loaded, asked and saved, so that the screen goes on. */
final class Worker {
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final Handler main = new Handler(Looper.getMainLooper());
    private final AtomicReference<Runnable> latest = new AtomicReference<>();

    /** Does something; what comes of it is heard of on the main thread. */
    <T> void run(Callable<T> work, Consumer<T> then, Consumer<Exception> otherwise) {
        thread.execute(() -> finish(work, then, otherwise));
    }

    /** The same; what was asked for in this way before, and has not begun, is left out. */
    <T> void runLatest(Callable<T> work, Consumer<T> then, Consumer<Exception> otherwise) {
        if (latest.getAndSet(() -> finish(work, then, otherwise)) == null) {
            thread.execute(() -> latest.getAndSet(null).run());
        }
    }

    /** Does something on the main thread. */
    void post(Runnable work) {
        main.post(work);
    }

    private <T> void finish(Callable<T> work, Consumer<T> then, Consumer<Exception> otherwise) {
        try {
            T result = work.call();
            main.post(() -> then.accept(result));
        } catch (Exception error) { // the screen says what went wrong, whatever it was
            main.post(() -> otherwise.accept(error));
        }
    }
}
