package mnistjax.device.personal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is kept of many samples, and the batches that are made of them. */
class SamplesTest {
    private static final Samples OWN = samples(0, 0, 0, 0, 3, 3);
    private static final Samples REPLAY =
            samples(100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2);

    @Test
    void eachOfManyHasTheSameChanceToBeKept() {
        int[] kept = new int[40];
        int trials = 3000;
        for (int seed = 0; seed < trials; seed++) {
            Reservoir reservoir = reservoir(10, seed);
            for (int number = 0; number < kept.length; number++) {
                reservoir.add(new float[] {number}, 1);
            }
            assertEquals(10, reservoir.held(1));
            assertArrayEquals(new int[] {0, 40}, reservoir.seen());
            for (float[] each : reservoir.samples().features) {
                kept[(int) each[0]]++;
            }
        }
        // A quarter of the trials; the standard deviation is 24.
        assertTrue(Arrays.stream(kept).allMatch(count -> Math.abs(count - trials / 4) < 120),
                Arrays.toString(kept));
    }

    @Test
    void theFirstStayOfAClassThatThereIsNoRoomFor() {
        Reservoir reservoir = new Reservoir(OWN, new int[] {9, 0, 0, 2}, 2, 0);
        Samples found = reservoir.samples();
        assertArrayEquals(new int[] {0, 0, 3, 3}, found.labels);
        assertEquals(1, found.features[1][0]);
        assertArrayEquals(new int[] {9, 0, 0, 2}, reservoir.seen());
    }

    @Test
    void eachSampleIsInOneBatchOfAnEpochInAnotherOrder() {
        Set<String> orders = new HashSet<>();
        for (int seed = 0; seed < 20; seed++) {
            Epoch epoch = new Epoch(OWN, null, 2, 0, 4, new Random(seed));
            Set<Float> seen = new HashSet<>();
            StringBuilder order = new StringBuilder();
            int[] sizes = new int[3];
            for (int batch = 0; batch < 3; batch++) {
                Batch each = epoch.next();
                sizes[batch] = each.size;
                for (float number : each.features) {
                    seen.add(number);
                    order.append(number).append(' ');
                }
            }
            assertArrayEquals(new int[] {2, 2, 1}, sizes);
            assertTrue(!epoch.hasNext() && seen.size() == 5);
            orders.add(order.toString());
        }
        assertTrue(orders.size() > 10);
    }

    @Test
    void copiesOfASampleCountAsMuchAsOneThatIsThereOnce() {
        Batch batch = new Epoch(OWN, null, 7, 0, 4, new Random(0)).next();
        for (int sample = 0; sample < 5; sample++) {
            double weight = 0;
            for (int row = 0; row < 7; row++) {
                if (batch.features[row] == sample) {
                    weight += batch.labels[4 * row + OWN.labels[sample]];
                }
            }
            assertEquals(1, weight, 1e-6);
        }
        assertEquals(7, count(batch.labels));
    }

    @ParameterizedTest
    @CsvSource({"4, 4", "6, 2", "2, 6", "8, 8"})
    void theShareOfThePackageIsTheSameInEveryBatch(int own, int replayed) {
        Epoch epoch = new Epoch(OWN, REPLAY, own, replayed, 4, new Random(0));
        while (epoch.hasNext()) {
            Batch batch = epoch.next();
            double[] weights = new double[2];
            for (int row = 0; row < own + replayed; row++) {
                for (int label = 0; label < 4; label++) {
                    int whose = batch.features[row] >= 100 ? 1 : 0;
                    weights[whose] += batch.labels[4 * row + label];
                }
            }
            assertEquals(own + replayed, count(batch.labels));
            assertEquals(batch.size, weights[0], 1e-6);
            double share = weights[1] / (weights[0] + weights[1]);
            assertEquals((double) replayed / (own + replayed), share, 1e-6);
        }
    }

    @Test
    void classesOfThePackageAreDrawnAlikeWithTheirOwnLabels() {
        int[] counts = new int[4];
        Epoch epoch = new Epoch(OWN, REPLAY, 1, 5, 4, new Random(0));
        while (epoch.hasNext()) {
            Batch batch = epoch.next();
            for (int row = 1; row < 6; row++) {
                int label = REPLAY.labels[(int) batch.features[row] - 100];
                assertTrue(batch.labels[4 * row + label] > 0);
                counts[label]++;
            }
        }
        Arrays.sort(counts);
        assertArrayEquals(new int[] {0, 8, 8, 9}, counts);
    }

    @Test
    void drawsAreTheSameForTheSameNumbersAndOthersForOthers() {
        Set<Long> firsts = new HashSet<>();
        for (int seed = 0; seed < 30; seed++) {
            for (int step = 0; step < 30; step++) {
                long first = Draws.of(seed, step).nextLong();
                assertEquals(first, Draws.of(seed, step).nextLong());
                firsts.add(first);
            }
        }
        assertEquals(900, firsts.size());
        int[] order = Draws.permutation(9, new Random(1));
        Arrays.sort(order);
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8}, order);
    }

    private static Reservoir reservoir(int perClass, long seed) {
        return new Reservoir(new Samples(new float[0][], new int[0]), new int[2], perClass, seed);
    }

    private static int count(float[] labels) {
        int count = 0;
        for (float each : labels) {
            count += each > 0 ? 1 : 0;
        }
        return count;
    }

    /** Returns samples whose only feature is a number of their own. */
    private static Samples samples(int first, int... labels) {
        float[][] features = new float[labels.length][];
        for (int i = 0; i < labels.length; i++) {
            features[i] = new float[] {first + i};
        }
        return new Samples(features, labels);
    }
}
