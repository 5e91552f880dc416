package mnistjax.app;

import android.app.AlertDialog;
import android.content.Intent;
import android.os.Bundle;
import android.view.Menu;
import android.view.MenuItem;
import android.widget.ArrayAdapter;
import android.widget.AutoCompleteTextView;
import android.widget.Button;
import android.widget.TextView;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import mnistjax.app.views.LossView;
import mnistjax.device.DeviceException;
import mnistjax.device.images.ImageSpec;

/** The screen on which a user teaches the personal model. */
public final class TeachActivity extends PictureActivity {
    static final int SAVE = 3;
    static final int OPEN = 4;

    private final AtomicBoolean isStale = new AtomicBoolean();
    private AutoCompleteTextView name;
    private Button train;
    private boolean isTraining; // as the button says
    private boolean isKept; // what was said last, for those who read it

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        name = findViewById(R.id.class_name);
        train = findViewById(R.id.train);
        findViewById(R.id.add).setOnClickListener(view -> add());
        findViewById(R.id.undo).setOnClickListener(view -> undo());
        train.setOnClickListener(view -> trainOrPause());
        worker().run(() -> Taught.of(app().teaching()), this::showFirst, this::tell);
    }

    @Override
    protected void onStop() {
        super.onStop();
        if (isTraining && !isChangingConfigurations()) {
            change(Teaching::pause, ignored -> {}); // nobody watches, and the battery is theirs
        }
    }

    @Override
    int layout() {
        return R.layout.teach;
    }

    @Override
    ImageSpec images() throws DeviceException {
        return app().teaching().images();
    }

    @Override
    List<Answer> ask(byte[] image) throws DeviceException {
        long start = System.nanoTime();
        List<mnistjax.device.Prediction> predictions = app().teaching().predict(image);
        double microseconds = (System.nanoTime() - start) / 1000.0;
        Answer answer = Answer.of("", 0, Double.NaN, predictions, microseconds);
        return Collections.singletonList(answer);
    }

    @Override
    void pictureChanged() {
        isKept = false;
    }

    @Override
    void answered(List<Answer> answers) {
        if (!isKept) {
            super.answered(answers);
        }
        isKept = false;
    }

    @Override
    public boolean onCreateOptionsMenu(Menu menu) {
        getMenuInflater().inflate(R.menu.teach, menu);
        return true;
    }

    @Override
    public boolean onOptionsItemSelected(MenuItem item) {
        if (item.getItemId() == R.id.share) {
            share();
        } else if (item.getItemId() == R.id.save) {
            start(TaughtFiles.toCreate(), SAVE, R.string.error_no_picker);
        } else if (item.getItemId() == R.id.open) {
            start(TaughtFiles.toOpen(), OPEN, R.string.error_no_picker);
        } else if (item.getItemId() == R.id.reset) {
            askToReset();
        } else {
            return super.onOptionsItemSelected(item);
        }
        return true;
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        super.onActivityResult(request, result, data);
        if (result != RESULT_OK || data == null || data.getData() == null) {
            return;
        }
        if (request == SAVE) {
            change(
                    teaching -> TaughtFiles.save(this, teaching, data.getData()),
                    taught -> keep(getString(R.string.saved)));
        } else if (request == OPEN) {
            change(
                    teaching -> TaughtFiles.open(this, teaching, data.getData()),
                    taught -> keep(getString(R.string.opened, taught.samples())));
        }
    }

    private void add() {
        byte[] image = image();
        String given = name.getText().toString().trim();
        if (image == null || given.isEmpty()) {
            int error = image == null ? R.string.error_nothing_drawn : R.string.error_no_name;
            keep(getString(error));
            return;
        }
        change(
                teaching -> teaching.add(image, given),
                taught -> {
                    clear();
                    keep(getString(R.string.added, given));
                });
    }

    private void undo() {
        boolean[] isDone = new boolean[1];
        change(
                teaching -> isDone[0] = teaching.undo(),
                taught -> keep(getString(isDone[0] ? R.string.undone : R.string.nothing_to_undo)));
    }

    private void trainOrPause() {
        if (isTraining) {
            change(Teaching::pause, taught -> refresh());
            return;
        }
        change(
                teaching -> {
                    if (Taught.of(teaching).samples() == 0) {
                        throw new DeviceException(getString(R.string.error_no_samples));
                    }
                    teaching.train(this::afterEpoch);
                },
                taught -> {});
    }

    /** On the training's thread: epochs may be shorter than a frame, and one look shows them all. */
    private void afterEpoch(Exception error) {
        if (error != null) {
            worker().post(() -> tell(error));
        }
        if (isStale.compareAndSet(false, true)) {
            worker().run(
                    () -> Taught.of(app().teaching()),
                    taught -> {
                        isStale.set(false);
                        show(taught);
                        refresh();
                    },
                    this::tell);
        }
    }

    private void share() {
        change(
                teaching -> TaughtFiles.prepareToShare(this, teaching),
                taught -> {
                    Intent chooser = Intent.createChooser(TaughtFiles.toShare(this), null);
                    start(chooser, 0, R.string.error_no_picker);
                });
    }

    private void askToReset() {
        new AlertDialog.Builder(this)
                .setMessage(R.string.reset_question)
                .setNegativeButton(R.string.cancel, null)
                .setPositiveButton(
                        R.string.reset,
                        (dialog, which) ->
                                change(
                                        Teaching::reset,
                                        taught -> {
                                            clear();
                                            keep(getString(R.string.forgotten));
                                        }))
                .show();
    }

    private interface Change {
        void make(Teaching teaching) throws Exception;
    }

    private void change(Change change, java.util.function.Consumer<Taught> then) {
        worker().run(
                () -> {
                    change.make(app().teaching());
                    return Taught.of(app().teaching());
                },
                taught -> {
                    show(taught);
                    then.accept(taught);
                },
                error -> {
                    tell(error);
                    isKept = true;
                });
    }

    private void keep(String text) {
        say(text);
        isKept = true;
    }

    private void showFirst(Taught taught) {
        if (taught.problem != null) {
            keep(getString(R.string.error_state, taught.fileName, taught.problem));
        }
        show(taught);
    }

    private void show(Taught taught) {
        isTraining = taught.isTraining;
        train.setText(isTraining ? R.string.pause : R.string.train);
        name.setHint(getString(R.string.class_hint, taught.classNames.get(0)));
        int row = android.R.layout.simple_list_item_1;
        name.setAdapter(new ArrayAdapter<>(this, row, taught.classNames));
        ((TextView) findViewById(R.id.samples)).setText(taught.describe(getResources()));
        ((LossView) findViewById(R.id.loss)).setLosses(taught.losses);
        if (taught.losses.length > 0) {
            double last = taught.losses[taught.losses.length - 1];
            String loss = String.format(Locale.getDefault(), "%.4f", last);
            String text = getString(R.string.loss_now, loss, taught.epochs);
            ((TextView) findViewById(R.id.loss_text)).setText(text);
        }
    }
}
