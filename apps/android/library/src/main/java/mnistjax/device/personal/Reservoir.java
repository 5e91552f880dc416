package mnistjax.device.personal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Of each class at most so many samples, each of those seen with the same chance.
 *
 * <p>That is Vitter's algorithm R (Random Sampling with a Reservoir, ACM TOMS 11(1), 1985), class
 * by class. What it draws depends on nothing but the seed, the class and how many it has seen of
 * it, so that a reservoir that was saved and loaded goes on as it would have.
 */
final class Reservoir {
    private final int perClass;
    private final long seed;
    private final List<List<float[]>> slots = new ArrayList<>();
    private final int[] seen;
    private final Deque<Change> changes = new ArrayDeque<>();

    /** Makes one of samples that it had; of a class that it has no room for, the first stay. */
    Reservoir(Samples samples, int[] seen, int perClass, long seed) {
        this.perClass = perClass;
        this.seed = seed;
        this.seen = seen.clone();
        for (int label = 0; label < seen.length; label++) {
            slots.add(new ArrayList<>());
        }
        for (int row = 0; row < samples.size(); row++) {
            List<float[]> held = slots.get(samples.labels[row]);
            if (held.size() < perClass) {
                held.add(samples.features[row]);
            }
        }
    }

    /** Adds a sample, in place of another one or not at all where its class is full. */
    void add(float[] features, int label) {
        List<float[]> held = slots.get(label);
        seen[label]++;
        if (held.size() < perClass) {
            held.add(features);
            changes.push(new Change(label, held.size() - 1, null));
            return;
        }
        int place = Draws.of(seed, label, seen[label]).nextInt(seen[label]);
        float[] old = place < perClass ? held.set(place, features) : null;
        changes.push(new Change(label, old == null ? -1 : place, old));
    }

    /** Takes back the last add since it was made. */
    void undo() {
        Change last = changes.pop();
        List<float[]> held = slots.get(last.label);
        seen[last.label]--;
        if (last.old != null) {
            held.set(last.place, last.old);
        } else if (last.place >= 0) {
            held.remove(last.place);
        }
    }

    /** Returns what it holds, class by class. */
    Samples samples() {
        List<float[]> all = new ArrayList<>();
        for (List<float[]> held : slots) {
            all.addAll(held);
        }
        int[] labels = new int[all.size()];
        int row = 0;
        for (int label = 0; label < slots.size(); label++) {
            for (int i = 0; i < held(label); i++) {
                labels[row++] = label;
            }
        }
        return new Samples(all.toArray(new float[0][]), labels);
    }

    /** Returns how many samples of a class it holds. */
    int held(int label) {
        return slots.get(label).size();
    }

    /** Returns how many samples of each class were added. */
    int[] seen() {
        return seen.clone();
    }

    /** What an add has done: to which place, and what was there; -1 for none. */
    private static final class Change {
        final int label;
        final int place;
        final float[] old;

        Change(int label, int place, float[] old) {
            this.label = label;
            this.place = place;
            this.old = old;
        }
    }
}
