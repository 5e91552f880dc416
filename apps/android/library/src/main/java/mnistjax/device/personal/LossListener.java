package mnistjax.device.personal;

/** Hears of a training that runs on a thread of its own; it is called on that thread. */
public interface LossListener {
    /**
     * An epoch has ended.
     *
     * @param epoch its number, from 1 since the training was enabled
     * @param loss the mean of the samples
     */
    void onLoss(int epoch, double loss);

    /**
     * The training has ended by itself; the model is as it was before the step that failed.
     *
     * @param error why
     */
    void onError(PersonalException error);
}
