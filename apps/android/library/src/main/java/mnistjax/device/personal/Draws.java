package mnistjax.device.personal;

import java.util.Random;

/** Random numbers that depend on nothing but what they are drawn for. */
final class Draws {
    private Draws() {}

    /** Returns a generator that is the same on every machine for the same numbers. */
    static Random of(long... numbers) {
        long mixed = 0;
        for (long number : numbers) {
            // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): generators of java.util.Random with
            // seeds that are close to each other begin alike.
            mixed = (mixed ^ number) + 0x9e3779b97f4a7c15L;
            mixed = (mixed ^ mixed >>> 30) * 0xbf58476d1ce4e5b9L;
            mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
            mixed ^= mixed >>> 31;
        }
        return new Random(mixed);
    }

    /** Returns 0 to count - 1 in random order. */
    static int[] permutation(int count, Random random) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int place = random.nextInt(i + 1);
            order[i] = order[place];
            order[place] = i;
        }
        return order;
    }
}
