package mnistjax.app.views;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.util.AttributeSet;
import android.view.MotionEvent;
import android.view.View;
import mnistjax.app.R;

/** A square to draw on, with a finger, a pen or a mouse. */
public final class InkView extends View {
    private static final float SCREEN_SHARE = 0.42f; // of its height: what is said stays visible

    private final Ink ink = new Ink();
    private final Paint hint = new Paint(Paint.ANTI_ALIAS_FLAG);
    private Runnable listener = () -> {};
    private int pointer = MotionEvent.INVALID_POINTER_ID;

    /** Is called by the layout. */
    public InkView(Context context, AttributeSet attributes) {
        super(context, attributes);
        hint.setColor(context.getColor(R.color.hint));
        hint.setTextAlign(Paint.Align.CENTER);
        hint.setTextSize(18 * getResources().getDisplayMetrics().scaledDensity);
    }

    /** Calls this whenever what is drawn has changed, on the main thread. */
    public void setListener(Runnable changed) {
        listener = changed;
    }

    /** Returns what is drawn. */
    public float[] strokes() {
        return ink.get();
    }

    /** Takes strokes of {@link #strokes}; the listener is not called. */
    public void setStrokes(float[] strokes) {
        ink.set(strokes);
        invalidate();
    }

    /** Whether nothing is drawn. */
    public boolean isEmpty() {
        return ink.isEmpty();
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        int most = (int) (getResources().getDisplayMetrics().heightPixels * SCREEN_SHARE);
        int side = Math.min(MeasureSpec.getSize(widthSpec), Math.max(most, minimum()));
        setMeasuredDimension(side, side);
    }

    private int minimum() {
        return (int) (200 * getResources().getDisplayMetrics().density);
    }

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        switch (event.getActionMasked()) {
            case MotionEvent.ACTION_DOWN:
                getParent().requestDisallowInterceptTouchEvent(true); // the page would scroll
                pointer = event.getPointerId(0);
                ink.begin(part(event.getX()), part(event.getY()));
                break;
            case MotionEvent.ACTION_MOVE:
            case MotionEvent.ACTION_UP:
            case MotionEvent.ACTION_POINTER_UP:
                follow(event);
                break;
            default:
                return event.getActionMasked() == MotionEvent.ACTION_POINTER_DOWN;
        }
        if (event.getActionMasked() == MotionEvent.ACTION_UP) {
            performClick();
        }
        invalidate();
        listener.run();
        return true;
    }

    @Override
    public boolean performClick() {
        return super.performClick();
    }

    /** Goes on with the stroke of the finger that began it; a palm that comes later is no ink. */
    private void follow(MotionEvent event) {
        int index = event.findPointerIndex(pointer);
        if (index < 0) {
            return;
        }
        for (int i = 0; i < event.getHistorySize(); i++) {
            ink.moveTo(
                    part(event.getHistoricalX(index, i)), part(event.getHistoricalY(index, i)));
        }
        ink.moveTo(part(event.getX(index)), part(event.getY(index)));
        boolean isEnd = event.getActionMasked() == MotionEvent.ACTION_POINTER_UP;
        if (isEnd && event.getActionIndex() == index) {
            pointer = MotionEvent.INVALID_POINTER_ID;
        }
    }

    private float part(float pixels) {
        return Math.min(Math.max(pixels / getWidth(), 0), 1);
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        if (ink.isEmpty()) {
            String text = getResources().getString(R.string.ink_empty);
            canvas.drawText(text, getWidth() / 2f, getHeight() / 2f, hint);
        }
        Ink.draw(canvas, ink.get(), getWidth(), getContext().getColor(R.color.ink));
    }
}
