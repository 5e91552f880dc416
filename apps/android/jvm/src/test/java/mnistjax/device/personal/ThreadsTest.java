package mnistjax.device.personal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import mnistjax.device.Given;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A training on a thread of its own, while others ask, add, load and close. */
class ThreadsTest {
    private final BlockingQueue<Object> heard = new ArrayBlockingQueue<>(100_000);
    private TransferLearningModel model;
    private float[][] images;

    /** Writes down what it hears. */
    private final LossListener listener =
            new LossListener() {
                @Override
                public void onLoss(int epoch, double loss) {
                    heard.offer(epoch);
                }

                @Override
                public void onError(PersonalException error) {
                    heard.offer(error.getMessage());
                }
            };

    @BeforeEach
    void load() throws Exception {
        images = PersonalPackages.SMALL.images();
        model = PersonalPackages.SMALL.taught();
    }

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void itTrainsUntilItIsStopped() throws Exception {
        long before = model.step();
        assertFalse(model.isTraining());
        model.enableTraining(listener);
        assertTrue(model.isTraining());
        assertEquals(1, next());
        assertEquals(2, next());
        Given.assertRefused("runs already; disable it", () -> model.enableTraining(listener));
        Given.assertRefused("runs already; disable it", () -> model.trainEpochs(1));
        model.disableTraining();
        assertFalse(model.isTraining());
        long after = model.step();
        assertTrue(after > before);
        Thread.sleep(20);
        assertEquals(after, model.step());
        heard.clear();
        model.enableTraining(listener);
        assertEquals(1, next());
        model.disableTraining();
        model.disableTraining();
        model.trainEpochs(1);
    }

    @Test
    void everybodyGetsATurnWhileItTrains() throws Exception {
        model.enableTraining(listener);
        AtomicReference<Throwable> wrong = new AtomicReference<>();
        Thread[] threads = new Thread[3];
        for (int number = 0; number < threads.length; number++) {
            threads[number] =
                    new Thread(
                            () -> {
                                try {
                                    for (float[] image : images) {
                                        double sum = 0;
                                        for (mnistjax.device.Prediction each :
                                                model.predict(image)) {
                                            sum += each.probability();
                                        }
                                        assertEquals(1, sum, 1e-9);
                                        model.addSample(image, "line");
                                    }
                                } catch (Throwable error) {
                                    wrong.set(error);
                                }
                            });
            threads[number].start();
        }
        for (Thread each : threads) {
            each.join(20_000);
            assertFalse(each.isAlive());
        }
        assertEquals(null, wrong.get());
        assertEquals(3 * images.length, model.counts().get("line"));
        model.disableTraining();
    }

    @Test
    void aStateThatIsLoadedMeanwhileIsTrainedFromItsOwnStep() throws Exception {
        model.enableTraining(listener);
        next();
        for (int time = 0; time < 20; time++) {
            model.loadState(Given.file("small.safetensors"));
            Thread.sleep(2);
        }
        model.disableTraining();
        assertTrue(heard.stream().allMatch(each -> each instanceof Integer), heard.toString());
    }

    @Test
    void whereNothingIsLeftToTrainOnItEndsAndSaysWhy() throws Exception {
        model.enableTraining(listener);
        next();
        model.reset();
        Object last = next();
        while (last instanceof Integer) {
            last = next();
        }
        assertEquals("there is nothing to train on; add images first", last);
        assertFalse(model.isTraining());
    }

    @Test
    void aListenerMayStopIt() throws Exception {
        model.enableTraining(
                new LossListener() {
                    @Override
                    public void onLoss(int epoch, double loss) {
                        heard.offer(epoch);
                        model.disableTraining();
                    }

                    @Override
                    public void onError(PersonalException error) {
                        heard.offer(error);
                    }
                });
        assertEquals(1, next());
        for (int time = 0; model.isTraining() && time < 10_000; time++) {
            Thread.sleep(1);
        }
        assertFalse(model.isTraining());
        assertTrue(heard.isEmpty());
    }

    @Test
    void itMayBeClosedWhileItTrains() throws Exception {
        model.enableTraining(listener);
        next();
        model.close();
        assertFalse(model.isTraining());
        Given.assertRefused("^the model is closed", () -> model.predict(images[0]));
    }

    private Object next() throws InterruptedException {
        Object next = heard.poll(20, TimeUnit.SECONDS);
        assertTrue(next != null, "nothing was heard");
        return next;
    }
}
