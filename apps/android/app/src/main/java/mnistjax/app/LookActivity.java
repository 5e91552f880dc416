package mnistjax.app;

import android.content.Intent;
import android.os.Bundle;
import android.widget.Button;
import java.util.List;
import mnistjax.device.DeviceException;
import mnistjax.device.images.ImageSpec;

/** The first screen: what each device model says of a drawing, a photo or a picture. */
public final class LookActivity extends PictureActivity {
    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        Button teach = findViewById(R.id.teach);
        teach.setOnClickListener(view -> startActivity(new Intent(this, TeachActivity.class)));
        if (!app().canTeach()) {
            teach.setEnabled(false);
            teach.setText(R.string.error_no_personal);
        }
    }

    @Override
    int layout() {
        return R.layout.look;
    }

    @Override
    ImageSpec images() throws DeviceException {
        return app().models().images();
    }

    @Override
    List<Answer> ask(byte[] image) throws DeviceException {
        return app().models().ask(image);
    }
}
