package mnistjax.app;

import android.content.res.Resources;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the screen shows of a {@link Teaching}, as it was at one moment. */
final class Taught {
    final List<String> classNames;
    final Map<String, Integer> counts;
    final int freeNames;
    final double[] losses;
    final int epochs;
    final boolean isTraining;
    final String problem;
    final String fileName;

    private Taught(Teaching teaching) {
        classNames = teaching.classNames();
        counts = new LinkedHashMap<>(teaching.counts());
        counts.values().removeIf(count -> count == 0);
        freeNames = teaching.freeNames();
        losses = teaching.losses();
        epochs = teaching.epochs();
        isTraining = teaching.isTraining();
        problem = teaching.problem();
        fileName = teaching.fileName();
    }

    /** Looks at it, on the worker's thread. */
    static Taught of(Teaching teaching) {
        return new Taught(teaching);
    }

    /** Returns how many samples there are. */
    int samples() {
        int sum = 0;
        for (int count : counts.values()) {
            sum += count;
        }
        return sum;
    }

    /** Returns how many samples of each class there are, and how many names are left, as a text. */
    String describe(Resources texts) {
        List<String> each = new ArrayList<>();
        for (Map.Entry<String, Integer> count : counts.entrySet()) {
            each.add(texts.getString(R.string.samples, count.getKey(), count.getValue()));
        }
        String samples =
                each.isEmpty() ? texts.getString(R.string.samples_none) : String.join(", ", each);
        return samples + "\n" + texts.getString(R.string.free, freeNames);
    }
}
