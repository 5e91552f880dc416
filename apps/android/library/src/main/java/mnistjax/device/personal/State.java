package mnistjax.device.personal;

import java.util.List;
import java.util.Map;

/** What a user's training made of a package. */
final class State {
    /** Names of the outputs, in their order; outputs behind them have no class yet. */
    final List<String> classNames;

    /** How many training steps were taken. */
    final long step;

    /** Parameters and the optimizer's state by name. */
    final Map<String, Object> values;

    /** The user's. */
    final Samples samples;

    /** How many samples of each output were added. */
    final int[] seen;

    State(
            List<String> classNames,
            long step,
            Map<String, Object> values,
            Samples samples,
            int[] seen) {
        this.classNames = classNames;
        this.step = step;
        this.values = values;
        this.samples = samples;
        this.seen = seen;
    }
}
