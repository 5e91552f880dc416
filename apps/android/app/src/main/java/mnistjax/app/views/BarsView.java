package mnistjax.app.views;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.text.TextPaint;
import android.text.TextUtils;
import android.view.View;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import mnistjax.app.R;
import mnistjax.device.Prediction;

/** A row of bars, one for each class, with the class's name below; the likeliest stands out. */
public final class BarsView extends View {
    private static final int MOST = 12; // more have no room on a phone: the likeliest are shown

    private final Paint bar = new Paint();
    private final Paint back = new Paint();
    private final TextPaint text = new TextPaint(Paint.ANTI_ALIAS_FLAG);
    private List<Prediction> predictions = Collections.emptyList();

    /** Makes one without bars. */
    public BarsView(Context context) {
        super(context);
        bar.setColor(context.getColor(R.color.bar));
        back.setColor(context.getColor(R.color.bar_back));
        text.setColor(context.getColor(R.color.ink));
        text.setTextAlign(Paint.Align.CENTER);
        text.setTextSize(12 * getResources().getDisplayMetrics().scaledDensity);
    }

    /** Shows a prediction of each class. */
    public void setPredictions(List<Prediction> ofClasses) {
        predictions = likeliest(ofClasses);
        Prediction best = Prediction.best(ofClasses);
        String percent = String.format(Locale.getDefault(), "%.1f", 100 * best.probability());
        setContentDescription(
                getResources().getString(R.string.bar_description, best.label(), percent));
        invalidate();
    }

    /** Returns those that there is room for, in the order of the outputs. */
    private static List<Prediction> likeliest(List<Prediction> all) {
        if (all.size() <= MOST) {
            return all;
        }
        List<Prediction> sorted = new java.util.ArrayList<>(all);
        sorted.sort((a, b) -> Double.compare(b.probability(), a.probability()));
        return sorted.subList(0, MOST);
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        float density = getResources().getDisplayMetrics().density;
        int height = (int) (32 * density + 1.4f * text.getTextSize());
        setMeasuredDimension(MeasureSpec.getSize(widthSpec), height);
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        int count = Math.max(predictions.size(), 1);
        float step = (float) getWidth() / count;
        float gap = step / 8;
        float bottom = getHeight() - 1.4f * text.getTextSize();
        for (int i = 0; i < predictions.size(); i++) {
            Prediction each = predictions.get(i);
            float left = i * step + gap;
            float right = (i + 1) * step - gap;
            canvas.drawRect(left, 0, right, bottom, back);
            float top = (float) (bottom * (1 - each.probability()));
            canvas.drawRect(left, top, right, bottom, bar);
            CharSequence name =
                    TextUtils.ellipsize(each.label(), text, step, TextUtils.TruncateAt.END);
            float baseline = getHeight() - 0.3f * text.getTextSize();
            canvas.drawText(name, 0, name.length(), (left + right) / 2, baseline, text);
        }
    }
}
