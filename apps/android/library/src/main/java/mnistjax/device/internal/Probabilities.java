package mnistjax.device.internal;

import java.util.ArrayList;
import java.util.List;
import mnistjax.device.Prediction;

/** Logits as probabilities. */
public final class Probabilities {
    private Probabilities() {}

    /**
     * Takes the softmax of the first logits.
     *
     * @param labels of the classes
     * @param logits as many as there are labels, or more, which are left out
     * @return a probability for each label; their sum is 1
     */
    public static List<Prediction> of(List<String> labels, float[] logits) {
        double greatest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < labels.size(); i++) {
            greatest = Math.max(greatest, logits[i]);
        }
        double[] powers = new double[labels.size()];
        double sum = 0;
        for (int i = 0; i < powers.length; i++) {
            powers[i] = Math.exp(logits[i] - greatest);
            sum += powers[i];
        }
        List<Prediction> predictions = new ArrayList<>();
        for (int i = 0; i < powers.length; i++) {
            predictions.add(new Prediction(labels.get(i), powers[i] / sum));
        }
        return predictions;
    }
}
