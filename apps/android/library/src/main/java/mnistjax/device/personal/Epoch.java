package mnistjax.device.personal;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;

/**
 * Batches that have each of the user's samples once, in random order, and the package's between.
 *
 * <p>Where a batch has fewer of the user's than there are rows for them, they are repeated, and
 * each row has weight 1 / (number of its copies); the rows of the package's then weigh less, too,
 * so that their share is the same in all batches.
 */
final class Epoch implements Iterator<Batch> {
    private final Samples own;
    private final Samples replay;
    private final int ownRows;
    private final int replayedRows;
    private final int numClasses;
    private final int[] order;
    private final int[] drawn;
    private int start;

    /**
     * Draws the order.
     *
     * @param own the user's samples, at least one
     * @param replay the package's, or null
     * @param ownRows rows of a batch that are the user's
     * @param replayedRows rows that are the package's, 0 where there are none
     * @param numClasses outputs
     * @param random what is drawn from
     */
    Epoch(
            Samples own,
            Samples replay,
            int ownRows,
            int replayedRows,
            int numClasses,
            Random random) {
        this.own = own;
        this.replay = replay;
        this.ownRows = ownRows;
        this.replayedRows = replayedRows;
        this.numClasses = numClasses;
        order = Draws.permutation(own.size(), random);
        int batches = (order.length + ownRows - 1) / ownRows;
        drawn = replay == null ? new int[0] : balanced(batches * replayedRows, random);
    }

    @Override
    public boolean hasNext() {
        return start < order.length;
    }

    @Override
    public Batch next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        int size = Math.min(ownRows, order.length - start);
        int width = own.features[0].length;
        int rows = ownRows + replayedRows;
        float[] features = new float[rows * width];
        float[] labels = new float[rows * numClasses];
        for (int row = 0; row < ownRows; row++) {
            int copies = (ownRows - row % size + size - 1) / size;
            int sample = order[start + row % size];
            System.arraycopy(own.features[sample], 0, features, row * width, width);
            labels[row * numClasses + own.labels[sample]] = (float) (1.0 / copies);
        }
        int number = start / ownRows;
        for (int row = 0; row < replayedRows; row++) {
            int sample = drawn[number * replayedRows + row];
            int place = ownRows + row;
            System.arraycopy(replay.features[sample], 0, features, place * width, width);
            float weight = (float) ((double) size / ownRows);
            labels[place * numClasses + replay.labels[sample]] = weight;
        }
        start += size;
        return new Batch(features, labels, size);
    }

    /** Returns places in the package's samples: classes take turns in random order. */
    private int[] balanced(int count, Random random) {
        List<List<Integer>> places = new ArrayList<>();
        for (int label = 0; label < numClasses; label++) {
            List<Integer> found = new ArrayList<>();
            for (int i = 0; i < replay.size(); i++) {
                if (replay.labels[i] == label) {
                    found.add(i);
                }
            }
            if (!found.isEmpty()) {
                places.add(found);
            }
        }
        int[] drawn = new int[count];
        int[] turns = null;
        for (int i = 0; i < count; i++) {
            if (i % places.size() == 0) {
                turns = Draws.permutation(places.size(), random);
            }
            List<Integer> chosen = places.get(turns[i % places.size()]);
            drawn[i] = chosen.get(random.nextInt(chosen.size()));
        }
        return drawn;
    }
}
