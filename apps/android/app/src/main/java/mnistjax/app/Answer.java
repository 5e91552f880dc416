package mnistjax.app;

import java.util.List;
import mnistjax.device.Prediction;

/** What one model says of an image, or why it says nothing. */
final class Answer {
    final String model;
    final long bytes;
    final double accuracy;
    final List<Prediction> predictions;
    final double microseconds;
    final String error;

    private Answer(
            String model,
            long bytes,
            double accuracy,
            List<Prediction> predictions,
            double microseconds,
            String error) {
        this.model = model;
        this.bytes = bytes;
        this.accuracy = accuracy;
        this.predictions = predictions;
        this.microseconds = microseconds;
        this.error = error;
    }

    /** Of a model that answered; its accuracy is NaN where it is not known. */
    static Answer of(
            String model,
            long bytes,
            double accuracy,
            List<Prediction> predictions,
            double microseconds) {
        return new Answer(model, bytes, accuracy, predictions, microseconds, null);
    }

    /** Of one that cannot be used. */
    static Answer failed(String model, String error) {
        return new Answer(model, 0, Double.NaN, null, Double.NaN, error);
    }

    /** Returns the likeliest class; null where there is none. */
    Prediction best() {
        return predictions == null ? null : Prediction.best(predictions);
    }
}
