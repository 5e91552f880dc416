package mnistjax.device.personal;

/** What there is to train on at one time. */
final class Snapshot {
    final Samples samples;

    /** How many steps were taken before. */
    final long step;

    /** How many states there were before this one. */
    final int replacements;

    Snapshot(Samples samples, long step, int replacements) {
        this.samples = samples;
        this.step = step;
        this.replacements = replacements;
    }
}
