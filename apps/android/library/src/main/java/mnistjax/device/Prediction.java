package mnistjax.device;

import java.util.List;

/** What a model says of one class for an image. */
public final class Prediction {
    private final String label;
    private final double probability;

    /**
     * Makes one.
     *
     * @param label the name of the class
     * @param probability in [0, 1]
     */
    public Prediction(String label, double probability) {
        this.label = label;
        this.probability = probability;
    }

    /**
     * Says what class it is of.
     *
     * @return its name
     */
    public String label() {
        return label;
    }

    /**
     * Says how likely it is.
     *
     * @return the probability, in [0, 1]
     */
    public double probability() {
        return probability;
    }

    /**
     * Finds what a model thinks most likely.
     *
     * @param predictions at least one
     * @return the first of those with the highest probability
     */
    public static Prediction best(List<Prediction> predictions) {
        Prediction best = predictions.get(0);
        for (Prediction each : predictions) {
            best = each.probability > best.probability ? each : best;
        }
        return best;
    }

    @Override
    public String toString() {
        return label + " " + probability;
    }
}
