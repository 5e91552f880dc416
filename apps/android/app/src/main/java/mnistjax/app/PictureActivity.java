package mnistjax.app;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Bundle;
import android.provider.MediaStore;
import android.view.View;
import android.widget.ImageView;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import mnistjax.app.files.Photos;
import mnistjax.app.views.Ink;
import mnistjax.app.views.InkView;
import mnistjax.app.views.SeenImage;
import mnistjax.device.DeviceException;
import mnistjax.device.images.ImageSpec;

/** A screen with a drawing area, a camera's photo or a picture, and what models say of it. */
abstract class PictureActivity extends Activity {
    static final int PHOTO = 1;
    static final int PICTURE = 2;
    private static final String STROKES = "strokes";
    private static final String IMAGE = "image";

    private InkView ink;
    private ImageView seen;
    private TextView message;
    private AnswerRows rows;
    private byte[] photo; // what models get of one; null while there is a drawing
    private byte[] image; // what they got last; null while there is nothing

    /** Returns which layout the screen has; its views are those of {@code look}. */
    abstract int layout();

    /** Returns what images the models take; on the worker's thread. */
    abstract ImageSpec images() throws DeviceException;

    /** Returns what they say of one; on the worker's thread. */
    abstract List<Answer> ask(byte[] image) throws DeviceException;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        setContentView(layout());
        ink = findViewById(R.id.ink);
        seen = findViewById(R.id.seen);
        message = findViewById(R.id.message);
        rows = new AnswerRows((LinearLayout) findViewById(R.id.answers));
        if (saved != null) {
            ink.setStrokes(saved.getFloatArray(STROKES));
            photo = saved.getByteArray(IMAGE);
        }
        ink.setListener(this::drawn);
        findViewById(R.id.clear).setOnClickListener(view -> clear());
        findViewById(R.id.photo).setOnClickListener(view -> takePhoto());
        findViewById(R.id.picture).setOnClickListener(view -> choosePicture());
        worker().run(this::images, this::begin, this::tell);
    }

    @Override
    protected void onSaveInstanceState(Bundle out) {
        super.onSaveInstanceState(out);
        out.putFloatArray(STROKES, ink.strokes());
        out.putByteArray(IMAGE, photo);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (result != RESULT_OK || data == null) {
            return;
        }
        if (request == PHOTO) {
            Object thumbnail = data.getExtras() == null ? null : data.getExtras().get("data");
            if (thumbnail instanceof Bitmap) {
                take(() -> (Bitmap) thumbnail);
            } else {
                say(getString(R.string.error_no_photo));
            }
        } else if (request == PICTURE && data.getData() != null) {
            Uri uri = data.getData();
            take(() -> Photos.read(getContentResolver(), uri));
        }
    }

    final Worker worker() {
        return app().worker();
    }

    final DeviceApplication app() {
        return (DeviceApplication) getApplication();
    }

    /** Returns what the models got last; null while there is nothing. */
    final byte[] image() {
        return image;
    }

    /** Says something below the picture; a screen reader reads it, unless it was said already. */
    final void say(CharSequence text) {
        if (!text.toString().contentEquals(message.getText())) {
            message.setText(text);
        }
    }

    /** Says what went wrong. */
    final void tell(Exception error) {
        say(error.getMessage() == null ? error.toString() : error.getMessage());
    }

    /** Starts another app's screen, or says that there is none. */
    final void start(Intent intent, int request, int error) {
        try {
            startActivityForResult(intent, request);
        } catch (ActivityNotFoundException | SecurityException none) {
            say(getString(error));
        }
    }

    /** Asks the models anew, of what is there. */
    final void refresh() {
        if (photo == null && ink.isEmpty()) {
            image = null;
            seen.setImageDrawable(null);
            rows.show(Collections.emptyList());
            return;
        }
        byte[] taken = photo;
        float[] strokes = ink.strokes();
        worker().runLatest(() -> look(taken, strokes), this::show, this::tell);
    }

    /** Begins with an empty picture. */
    final void clear() {
        photo = null;
        ink.setStrokes(new float[0]);
        refresh();
    }

    /** Is told what the models say; on the main thread. */
    void answered(List<Answer> answers) {
        say(rows.summary(answers));
    }

    private void begin(ImageSpec spec) {
        ink.setVisibility(spec.isDrawn() ? View.VISIBLE : View.GONE);
        refresh();
    }

    /** Is told that there is another picture, before the models are asked. */
    void pictureChanged() {}

    private void drawn() {
        photo = null;
        pictureChanged();
        refresh();
    }

    private void takePhoto() {
        Intent intent = new Intent(MediaStore.ACTION_IMAGE_CAPTURE);
        start(intent, PHOTO, R.string.error_no_camera);
    }

    private void choosePicture() {
        Intent intent = new Intent(Intent.ACTION_OPEN_DOCUMENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE).setType("image/*");
        start(intent, PICTURE, R.string.error_no_picker);
    }

    private void take(Callable<Bitmap> source) {
        worker().run(() -> imageOf(source), this::taken, this::tell);
    }

    private byte[] imageOf(Callable<Bitmap> source) throws Exception {
        try {
            Bitmap bitmap = source.call();
            return images().image(Photos.pixels(bitmap), bitmap.getWidth());
        } catch (IOException error) {
            throw new DeviceException(getString(R.string.error_picture), error);
        } catch (OutOfMemoryError error) {
            throw new DeviceException(getString(R.string.error_picture_memory), error);
        }
    }

    private void taken(byte[] levels) {
        photo = levels;
        pictureChanged();
        ink.setStrokes(new float[0]);
        refresh();
    }

    private Look look(byte[] taken, float[] strokes) throws DeviceException {
        ImageSpec spec = images();
        byte[] levels = taken == null ? spec.image(Ink.pixels(strokes), Ink.SIDE) : taken;
        return new Look(levels, SeenImage.bitmap(levels, spec), ask(levels));
    }

    private void show(Look look) {
        if (isDestroyed() || photo == null && ink.isEmpty()) {
            return; // it was cleared meanwhile
        }
        image = look.image;
        seen.setImageDrawable(SeenImage.enlarged(getResources(), look.bitmap));
        rows.show(look.answers);
        answered(look.answers);
    }

    /** An image, and what was made of it. */
    private static final class Look {
        final byte[] image;
        final Bitmap bitmap;
        final List<Answer> answers;

        Look(byte[] image, Bitmap bitmap, List<Answer> answers) {
            this.image = image;
            this.bitmap = bitmap;
            this.answers = answers;
        }
    }
}
